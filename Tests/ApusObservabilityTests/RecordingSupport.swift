import ApusEngine
import Foundation
import Synchronization

@testable import ApusObservability

/// Keeps what a recorder writes.
final class RecordedBytes: Sendable {
  private let written = Mutex<[UInt8]>([])

  var lines: [String] {
    String(decoding: written.withLock { $0 }, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Sendable func write(_ bytes: UnsafeRawBufferPointer) { written.withLock { $0 += bytes } }
}

extension RecordingHeader {
  static let test = RecordingHeader(
    version: "0", model: Model(name: "fake \"one\"", configuration: ContentHash(), weights: ContentHash()),
    instructionSet: "portable", isPrecise: true, weightType: "int8", kvType: "bf16", threadCount: 2,
    slotCount: 4,
    contextLength: 64, prefillStep: 8, policy: "fair", prefixCaching: false, draftTokensMax: 3,
    eosTokenIDs: [3])
}

/// Events as lines, without a thread.
func encoded(_ records: [BufferedRecord]) -> [String] {
  var encoder = RecordEncoder()
  encoder.append(.test)
  for record in records { encoder.append(record) }
  encoder.end()
  return String(decoding: encoder.writer.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}
