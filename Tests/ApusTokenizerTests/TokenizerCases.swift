import Foundation
import TestSupport
import Testing

@testable import ApusTokenizer

/// What the reference makes of some texts, as `make_fixtures.py` writes it.
struct TokenizerCases: Decodable {
  var name: String?
  /// A `tokenizer.json`, where it is not a file of its own.
  var tokenizer: String?
  var texts: [String]?
  /// Null where the reference gives no answer.
  var ids: [[Int32]?]
  /// Without special tokens, where that differs from `ids`. This and the next two are keyed by the text's
  /// index.
  var plain: [String: [Int32]]
  /// Where that differs from the text.
  var decoded: [String: String]
  /// Without special tokens, where that differs from `decoded`.
  var skipped: [String: String]
  var streams: [Stream]

  /// Arbitrary ids, their text, and their text without special tokens.
  struct Stream: Decodable {
    var ids: [Int32]
    var decoded: String
    var skipped: String

    init(from decoder: any Swift.Decoder) throws {
      var values = try decoder.unkeyedContainer()
      ids = try values.decode([Int32].self)
      decoded = try values.decode(String.self)
      skipped = try values.decode(String.self)
    }
  }

  struct File: Decodable {
    var texts: [String]
    var cases: [TokenizerCases]
  }

  /// Checks everything; strings by their bytes, for Swift takes canonically equivalent ones as equal.
  func check(_ tokenizer: Tokenizer, _ texts: [String], _ label: String) throws {
    #expect(ids.count == texts.count)
    for (index, text) in texts.enumerated() {
      guard let expected = ids[index] else { continue }
      let key = String(index)
      let comment = Comment(rawValue: "\(label): \(text.debugDescription)")
      let ids = try tokenizer.encode(text)
      #expect(ids == expected, comment)
      let plain = try tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
      #expect(plain == self.plain[key] ?? expected, comment)
      let decoded = self.decoded[key] ?? text
      #expect(Array(try tokenizer.decode(expected).utf8) == Array(decoded.utf8), comment)
      let skipped = try tokenizer.decode(expected, skipSpecialTokens: true)
      #expect(Array(skipped.utf8) == Array((self.skipped[key] ?? decoded).utf8), comment)
    }
    for stream in streams {
      let comment = Comment(rawValue: "\(label): \(stream.ids)")
      for (skips, expected) in [(false, stream.decoded), (true, stream.skipped)] {
        let decoded = try tokenizer.decode(stream.ids, skipSpecialTokens: skips)
        #expect(Array(decoded.utf8) == Array(expected.utf8), comment)
        var detokenizer = StreamingDetokenizer(tokenizer, skipSpecialTokens: skips)
        var pieces: [String] = []
        for id in stream.ids { pieces.append(try detokenizer.append(id)) }
        pieces.append(try detokenizer.finish())
        #expect(pieces.flatMap { Array($0.utf8) } == Array(expected.utf8), comment)
      }
    }
  }
}

enum Fixtures {
  static func url(_ name: String) -> URL {
    Bundle.module.resourceURL!.appending(path: "Fixtures").appending(path: name)
  }

  static func decode<Value: Decodable>(_ name: String, as _: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: url(name)))
  }
}

extension Tokenizer {
  /// A tokenizer from the text of a `tokenizer.json`.
  init(json: String) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(json.utf8).write(to: url)
    try self.init(tokenizerFile: url)
  }
}
