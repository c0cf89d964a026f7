import Foundation
import TestSupport
import Testing

@testable import ApusTokenizer

/// Byte-level tokenizers as GGUF files list them, against the `tokenizer.json` they were made from.
struct GGUFByteLevelTests {
  @Test(arguments: [("gpt2", "gpt-2"), ("gpt2", "default"), ("qwen2", "qwen2"), ("llama3", "llama-bpe")])
  func givesReferenceIDsAndText(kind: String, pre: String) throws {
    let file = try HuggingFaceFile(Fixtures.url("\(kind).json"))
    let tokenizer = try Tokenizer(
      try file.vocabulary(pre, bosToken: kind == "llama3" ? "<|begin_of_text|>" : nil))
    let cases: TokenizerCases = try Fixtures.decode("\(kind).cases.json")
    try cases.check(tokenizer, cases.texts!, "\(kind) as \(pre)")
  }

  /// The components each name stands for are checked by themselves elsewhere; here that the names are told apart.
  @Test(arguments: [
    ("gpt-2", "a 12345", ["a", " 12345"]), ("mpt", "a 12345", ["a", " 12345"]),
    ("qwen2", "a 123\n\nb!\n", ["a", " ", "1", "2", "3", "\n\n", "b", "!\n"]),
    ("llama-bpe", "a12345", ["a", "123", "45"]), ("llama3", "a12345", ["a", "123", "45"]),
    ("tekken", "don'tTell 12 a/b//\n", ["don", "'t", "Tell", " ", "1", "2", " a", "/b", "//\n"]),
    ("starcoder", "a 12 b", ["a", " ", "1", "2", " b"]), ("smollm", "a 12 b", ["a", " ", "1", "2", " b"]),
    ("refact", "a 12 b", ["a", " ", "1", "2", " b"]),
    ("deepseek-coder", "a b,,\r\n12\u{4E2D}", ["a", " b", ",,", "\r", "\n", "1", "2", "\u{4E2D}"]),
    ("falcon", "a,, 1234", ["a", ",,", "\u{120}", "123", "4"]),
  ])
  func cutsAsItsNameSays(pre: String, text: String, words: [String]) throws {
    let recipe = try ByteLevelRecipe(pre)
    var list = PieceList(Array(text.utf8), isAtOrigin: true)
    for step in recipe.preTokenizers { try step.apply(to: &list) }
    // Where bytes are spelled before the last step, letters are themselves.
    #expect(list.pieces.map { Array(list.bytes[$0.range]).text } == words)
  }

  @Test func knowsEveryNameItLists() throws {
    for name in ByteLevelRecipe.names { _ = try ByteLevelRecipe(name) }
  }

  @Test func controlTokensAreNoText() throws {
    var vocabulary = Self.small
    vocabulary.tokens += ["<c>", "<u>", "zz", "[PAD7]"]
    vocabulary.tokenTypes += [3, 4, 3, 5]
    vocabulary.model = .byteLevel(preTokenizer: "llama-bpe", merges: ["a b"])
    vocabulary.bosToken = 3
    let tokenizer = try Tokenizer(vocabulary)
    #expect(tokenizer.bosToken == 3)
    #expect(try tokenizer.encode("ab<c>a<u>") == [3, 2, 3, 0, 4])
    // A token that ends a turn must not come of text that a stranger wrote, even where a word is spelled like it.
    let plain = try tokenizer.encode("ab<c>a<u>zz", addSpecialTokens: false, parseSpecialTokens: false)
    #expect(plain == [2, 0, 4])
    #expect(try tokenizer.decode([3, 2, 4], skipSpecialTokens: true) == "ab<u>")
    // Unused tokens fill up the embedding and have no text.
    #expect(throws: TokenizerError.unknownID(6, vocabularySize: 6)) { try tokenizer.decode([6]) }
  }

  @Test(arguments: [
    ("gpt-2", [2, 3]), ("qwen2", [2, 3]), ("llama-bpe", [4]), ("llama3", [4]), ("tekken", [4]),
  ])
  func takesWholeWordsThatNoMergeMakes(pre: String, ids: [Int32]) throws {
    var vocabulary = Self.small
    (vocabulary.tokens, vocabulary.tokenTypes) = (["a", "b", "ab", "c", "abc"], [1, 1, 1, 1, 1])
    vocabulary.model = .byteLevel(preTokenizer: pre, merges: ["a b"])
    vocabulary.addsBOS = false
    #expect(try Tokenizer(vocabulary).encode("abc") == ids)
  }

  @Test func addsTheTokensTheFileAsksFor() throws {
    var vocabulary = Self.small
    (vocabulary.bosToken, vocabulary.eosToken) = (0, 1)
    #expect(try Tokenizer(vocabulary).encode("ab") == [2])
    (vocabulary.addsBOS, vocabulary.addsEOS) = (true, true)
    #expect(try Tokenizer(vocabulary).encode("ab") == [0, 2, 1])
    vocabulary.model = .byteLevel(preTokenizer: "llama-bpe", merges: ["a b"])
    (vocabulary.addsBOS, vocabulary.addsEOS) = (nil, nil)
    #expect(try Tokenizer(vocabulary).encode("ab") == [0, 2])
    vocabulary.addsBOS = false
    #expect(try Tokenizer(vocabulary).encode("ab") == [2])
  }

  static let small = GGUFVocabulary(
    path: "small.gguf", model: .byteLevel(preTokenizer: "gpt-2", merges: ["a b"]), tokens: ["a", "b", "ab"],
    tokenTypes: [1, 1, 1])
}

/// Real vocabularies, which the repository does not hold.
@Suite(.enabled(if: SharedData.folder != nil, "there is no shared data beside this checkout"))
struct RealGGUFVocabularyTests {
  @Test(arguments: [
    ("qwen2", "qwen2", nil), ("qwen2.5", "qwen2", nil), ("qwen3", "qwen2", nil),
    ("llama3", "llama-bpe", "<|begin_of_text|>"),
  ])
  func givesReferenceIDsAndText(name: String, pre: String, bosToken: String?) throws {
    let folder = try #require(SharedData.folder).appending(path: name)
    let file = try HuggingFaceFile(folder.appending(path: "tokenizer.json"))
    let tokenizer = try Tokenizer(try file.vocabulary(pre, bosToken: bosToken))
    let reference: TokenizerCases.File = try Fixtures.decode("shared-data.json")
    let cases = try #require(reference.cases.first { $0.name == name })
    try cases.check(tokenizer, reference.texts, name)
  }
}

/// SentencePiece models as GGUF files list them, against SentencePiece and the Hugging Face tokenizer that stands for
/// one: see `Fixtures/gguf/make_gguf.py`.
struct GGUFSentencePieceTests {
  struct File: Decodable {
    struct Model: Decodable {
      var name: String
      var tokens: [String]
      var scores: [Float]
      var types: [Int]
      var prefix: Bool
      /// Without special tokens; null where user-defined symbols occur, which SentencePiece finds later.
      var ids: [[Int32]?]
      var decoded: [String: String]
      var reference: TokenizerCases?

      var vocabulary: GGUFVocabulary {
        GGUFVocabulary(
          path: "\(name).gguf", model: .sentencePiece(scores: scores), tokens: tokens, tokenTypes: types,
          bosToken: 1, eosToken: 2, unknownToken: 0, addsSpacePrefix: prefix)
      }
    }
    var texts: [String]
    var models: [Model]
  }

  static let names = [
    "llama", "shared scores and fragments", "no prefix", "unknown characters", "unknown fragments",
  ]

  @Test(arguments: names)
  func givesTheIDsThatSentencePieceGives(name: String) throws {
    let file: File = try Fixtures.decode("gguf/sentencepiece.json")
    let model = try #require(file.models.first { $0.name == name })
    let tokenizer = try Tokenizer(model.vocabulary)
    #expect(model.ids.count == file.texts.count && model.ids.count { $0 != nil } > 90)
    for (index, text) in file.texts.enumerated() {
      guard let expected = model.ids[index] else { continue }
      let comment = Comment(rawValue: "\(name): \(text.debugDescription)")
      let ids = try tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
      #expect(ids == expected, comment)
      guard !expected.contains(0) else { continue }
      let decoded = model.decoded[String(index)] ?? text
      #expect(Array(try tokenizer.decode(expected).utf8) == Array(decoded.utf8), comment)
    }
  }

  @Test func givesReferenceIDsAndText() throws {
    let file: File = try Fixtures.decode("gguf/sentencepiece.json")
    let model = try #require(file.models.first)
    let reference = try #require(model.reference)
    try reference.check(Tokenizer(model.vocabulary), file.texts, model.name)
  }

  @Test func takesLongRunsWithoutQuadraticTime() throws {
    let file: File = try Fixtures.decode("gguf/sentencepiece.json")
    let tokenizer = try Tokenizer(try #require(file.models.first).vocabulary)
    for unit in ["a", " ", "🙂", "e", "<0x41>"] {
      let text = String(repeating: unit, count: 20_000 / unit.utf8.count)
      let ids = try tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
      #expect(try tokenizer.decodeBytes(ids) == Array(text.utf8), "\(unit)")
    }
  }
}

/// The vocabulary of a `tokenizer.json`, as the format's converter lists it.
struct HuggingFaceFile: Decodable {
  struct Model: Decodable {
    var vocab: [String: Int]
    var merges: [Merge]
  }

  struct Merge: Decodable {
    var text: String

    init(from decoder: any Swift.Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let text = try? value.decode(String.self) {
        self.text = text
      } else {
        text = try value.decode([String].self).joined(separator: " ")
      }
    }
  }

  struct Added: Decodable {
    var id: Int
    var content: String
    var special: Bool
  }

  var model: Model
  var added_tokens: [Added]

  init(_ url: URL) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
  }

  func vocabulary(_ pre: String, bosToken: String?) throws -> GGUFVocabulary {
    let count = max(model.vocab.values.max() ?? 0, added_tokens.map(\.id).max() ?? 0) + 1
    var tokens = (0..<count).map { "[PAD\($0)]" }
    var types = [Int](repeating: 5, count: count)
    for (token, id) in model.vocab { (tokens[id], types[id]) = (token, 1) }
    for added in added_tokens { (tokens[added.id], types[added.id]) = (added.content, added.special ? 3 : 4) }
    return GGUFVocabulary(
      path: "tokenizer.gguf", model: .byteLevel(preTokenizer: pre, merges: model.merges.map(\.text)),
      tokens: tokens, tokenTypes: types, bosToken: bosToken.flatMap { tokens.firstIndex(of: $0) })
  }
}
