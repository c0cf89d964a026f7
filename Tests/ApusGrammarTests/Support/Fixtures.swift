import ApusGrammar
import Foundation
import Testing

/// Texts with the verdict of other people's code: see `Fixtures/README.md`.
enum Fixtures {
  struct SchemaCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var schema: String
    var accepted: [String]
    var rejected: [String]
    var testDescription: String { name }
  }

  struct PatternCase: Decodable, Sendable, CustomTestStringConvertible {
    var pattern: String
    var accepted: [String]
    var rejected: [String]
    var testDescription: String { pattern }
  }

  /// A text that random tokens gave, and that the schema's validator accepted.
  struct Walk: Codable, Sendable, Equatable {
    var name: String
    var text: String
  }

  static let schemas: [SchemaCase] = read("schemas.json")
  static let patterns: [PatternCase] = read("patterns.json")
  static let walks: [Walk] = read("walks.json")

  /// Random characters take long to come upon these patterns.
  static func wanders(_ name: String) -> Bool { ["pattern anywhere", "two patterns"].contains(name) }

  private static func read<Value: Decodable>(_ name: String) -> [Value] {
    do {
      let url = try #require(
        Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"), "\(name)")
      return try JSONDecoder().decode([Value].self, from: Data(contentsOf: url))
    } catch { fatalError("\(name): \(error)") }
  }
}
