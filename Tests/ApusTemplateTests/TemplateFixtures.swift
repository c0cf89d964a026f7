import ApusCheckpoint
import ApusTemplate
import Foundation
import TestSupport
import Testing

/// Fixtures written by the scripts beside them, and published templates where the machine has them.
enum TemplateFixtures {
  static let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)!

  /// Published templates, which are under the licences of their models and so no part of the project.
  static let published = SharedData.folder?.appending(path: "chat-templates")

  static var hasPublished: Bool {
    guard let published else { return false }
    return FileManager.default.fileExists(atPath: published.appending(path: "renderings.jsonl").path)
  }

  /// When the fixtures were written, as their templates see it.
  static let now = TemplateTime(year: 2024, month: 7, day: 6, hour: 9, minute: 5, second: 3)

  static func value(_ text: some StringProtocol) throws -> JSONValue {
    var text = String(text)
    return try text.withUTF8 { try JSONValue(parsing: UnsafeRawBufferPointer($0), file: "fixture") }
  }

  /// The values of a file with one on each line.
  static func lines(_ url: URL) throws -> [JSONValue] {
    try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { try value($0) }
  }
}

extension JSONValue {
  var members: JSONMembers? { if case .object(let members) = self { members } else { nil } }
  var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
}

/// A rendering, or why there is none, in a form in which two are compared by their bytes.
struct Rendering: Equatable, CustomStringConvertible {
  let bytes: [UInt8]?
  let problem: String

  init(_ text: String?, problem: String = "no text") {
    bytes = text.map { Array($0.utf8) }
    self.problem = problem
  }

  static func == (left: Rendering, right: Rendering) -> Bool { left.bytes == right.bytes }

  var description: String { bytes.map { String(decoding: $0, as: UTF8.self).debugDescription } ?? problem }
}
