import ApusGrammar
import ApusStories
import ApusTokenizer
import Foundation
import TestSupport

/// Vocabularies that masks are tried on.
enum Vocabularies {
  /// Every byte, and some tokens that cross what a constraint tells apart.
  static let bytes: TokenVocabulary = {
    let longer = [
      "\"", "\",", "\":", "\": ", "\": \"", "{\"", "{\"a", "\"}", "\"}]", "}}", "]]", "[[", "[{", "[\"", "{}",
      "[]", "\"\"",
      ", \"", "\",\"", "true", "false}", "null]", "12", "0.5", "ab", "abc", "\\u", "\\ud83d", "\\\"", "é",
      "漢字",
      "a\"", "name", "name\": 1", "    ", "\n  ", "}, {", "],[", "00",
    ].map { Array($0.utf8) }
    // Halves of characters, as byte pairs make them.
    let halves: [[UInt8]] = [
      [0xC3], [0xA9, 0x22], [0xF0, 0x9F], [0x9F, 0x90, 0xA6], [0xA6, 0x22, 0x7D], [0xE6, 0xBC],
    ]
    return make((0...255).map { [UInt8($0)] } + longer + halves)
  }()

  /// The embedded model's: byte-level.
  static let stories: (vocabulary: TokenVocabulary, tokenizer: Tokenizer) = {
    do {
      let tokenizer = try Tokenizer(folder: try ApusStories.modelDirectory())
      return (make(tokenizer), tokenizer)
    } catch { fatalError("\(error)") }
  }()

  /// One of the shared data, nil without them.
  static func shared(_ folder: String) throws -> (vocabulary: TokenVocabulary, tokenizer: Tokenizer)? {
    guard let data = SharedData.folder else { return nil }
    let tokenizer = try Tokenizer(folder: data.appending(path: folder))
    return (make(tokenizer), tokenizer)
  }

  /// The last id ends a text; the one before it is no text.
  static func make(_ tokens: [[UInt8]]) -> TokenVocabulary {
    TokenVocabulary(size: tokens.count + 2, eosTokenIDs: [Int32(tokens.count + 1)]) {
      Int($0) < tokens.count ? tokens[Int($0)] : nil
    }
  }

  private static func make(_ tokenizer: Tokenizer) -> TokenVocabulary {
    // A model's vocabulary is larger than its tokenizer's.
    TokenVocabulary(size: tokenizer.vocabularySize + 40, eosTokenIDs: [tokenizer.eosToken ?? 2]) {
      tokenizer.bytes(of: $0)
    }
  }
}
