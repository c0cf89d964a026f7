import ApusCheckpoint
import Foundation
import TestSupport
import Testing

/// Damaged GGUF files: each opens, and then all it claims can be read, or is refused by a typed error.
@Suite struct GGUFMutationTests {
  let folder = try! TemporaryFolder()

  /// Dense in what can go wrong: every kind of value, few bytes of text.
  static let valid = GGUFBytes(
    pairs: [
      .string("a", "llama"), .uint32("general.alignment", 32), .init(key: "b", type: 7, value: [1]),
      .array("s", of: 8, count: 2, GGUFBytes.string("x") + GGUFBytes.string("yz")),
      .array("n", of: 9, count: 1, GGUFBytes.little(UInt32(1)) + GGUFBytes.little(UInt64(2)) + [1, 2]),
    ],
    tensors: [
      .init(name: "w", sizes: [3, 2]), .init(name: "q", sizes: [32, 2], type: 8, offset: 32),
      .init(name: "h", sizes: [5], type: 1, offset: 128),
    ], dataByteCount: 138
  ).bytes

  /// Opens what `url` holds and reads every byte that it claims to have; whether it opened.
  func opens(_ url: URL) -> Bool {
    do throws(CheckpointError) {
      let file = try GGUFFile(url)
      for tensor in file.tensors {
        let sum = tensor.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
        #expect(sum <= 255 * tensor.byteCount)
        #expect(tensor.elementCount == tensor.shape.reduce(1, *))
      }
      for key in file.metadata.keys { #expect(file.metadata.has(key)) }
      return true
    } catch {
      #expect(error.description.hasPrefix(url.path))
      return false
    }
  }

  @Test func opensOrRefusesDamagedFiles() throws {
    let file = try RewrittenFile(folder, "model.gguf")
    var random = SplitMix64(seed: 17)
    var opened = 0
    for _ in 0..<20_000 {
      try file.write(GGUFBytes.damaged(Self.valid, &random))
      if opens(file.url) { opened += 1 }
    }
    // Both outcomes are met often: changes of data and of names do no harm.
    #expect(opened > 1000)
    #expect(opened < 12_000)
  }

  @Test func opensOrRefusesDamagedFilesOfTheReferenceWriter() throws {
    let file = try RewrittenFile(folder, "model.gguf")
    let valid = [UInt8](try Data(contentsOf: GGUFTests.values))
    var random = SplitMix64(seed: 19)
    for _ in 0..<6000 {
      try file.write(GGUFBytes.damaged(valid, &random))
      _ = opens(file.url)
    }
  }

  @Test func refusesEveryTruncation() throws {
    let file = try RewrittenFile(folder, "model.gguf")
    for byteCount in 0..<Self.valid.count {
      try file.write(Array(Self.valid[..<byteCount]))
      #expect(!opens(file.url), "\(byteCount) bytes")
    }
    try file.write(Self.valid)
    #expect(opens(file.url))
  }

  @Test func refusesEveryChangeOfACount() throws {
    let file = try RewrittenFile(folder, "model.gguf")
    // Magic number, version, tensor count and metadata count. Version 2 is as good as 3, and with fewer
    // tensors the rest of the header is a gap.
    let harmless = [4 * 8, 8 * 8, 8 * 8 + 1]
    for bit in 0..<24 * 8 where !harmless.contains(bit) {
      var damaged = Self.valid
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      try file.write(damaged)
      #expect(!opens(file.url), "bit \(bit % 8) of byte \(bit / 8)")
    }
  }
}
