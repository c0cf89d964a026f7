import Testing

@testable import ApusTokenizer

/// A GGUF file's tokenizer is hostile until checked: each fault is an error that names the key and the value.
struct GGUFVocabularyRefusalTests {
  private func expectRefusal(
    _ vocabulary: GGUFVocabulary, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    do {
      _ = try Tokenizer(vocabulary)
      Issue.record("not refused", sourceLocation: sourceLocation)
    } catch {
      let text = error.description
      #expect(text.hasPrefix("\(vocabulary.path): "), "\(text)", sourceLocation: sourceLocation)
      for word in words { #expect(text.contains(word), "\(text)", sourceLocation: sourceLocation) }
    }
  }

  private let bytes = GGUFByteLevelTests.small
  /// `<unk>`, `<s>`, `▁`, `a`, `b`, `ab`, without byte tokens.
  private let pieces = GGUFVocabulary(
    path: "pieces.gguf", model: .sentencePiece(scores: [0, 0, -1, -2, -3, -4]),
    tokens: ["<unk>", "<s>", "\u{2581}", "a", "b", "ab"], tokenTypes: [2, 3, 1, 1, 1, 1], bosToken: 1)

  private func merges(_ merges: String...) -> GGUFVocabulary {
    var vocabulary = bytes
    vocabulary.model = .byteLevel(preTokenizer: "gpt-2", merges: merges)
    return vocabulary
  }

  @Test func takesWhatTheOthersSpoil() throws {
    #expect(try Tokenizer(bytes).encode("abab") == [2, 2])
    #expect(try Tokenizer(pieces).encode("abab?") == [1, 2, 5, 5, 0])
  }

  @Test func refusesAnUnknownPreTokenizerByName() {
    var vocabulary = bytes
    vocabulary.model = .byteLevel(preTokenizer: "command-z", merges: [])
    expectRefusal(vocabulary, "tokenizer.ggml.pre", "'command-z'", "qwen2", "llama-bpe")
  }

  @Test func refusesMergesOfAbsentTokens() {
    expectRefusal(merges("a b", "a x"), "tokenizer.ggml.merges[1]", "'x'")
    expectRefusal(merges("x b"), "tokenizer.ggml.merges[0]", "'x'")
    expectRefusal(merges("b a"), "tokenizer.ggml.merges[0]", "'ba'")
  }

  @Test(arguments: ["ab", "a b ", " a b", "", "a  b"])
  func refusesMalformedMerges(merge: String) {
    expectRefusal(merges("a b", merge), "tokenizer.ggml.merges[1]", "'\(merge)'")
  }

  @Test func refusesDuplicateTokens() {
    var vocabulary = bytes
    vocabulary.tokens[1] = "a"
    expectRefusal(vocabulary, "tokenizer.ggml.tokens", "'a' twice")
  }

  @Test func keepsCanonicallyEquivalentTokensApart() throws {
    var vocabulary = pieces
    vocabulary.tokens[3...5] = ["\u{E9}", "e", "e\u{301}"]
    let tokenizer = try Tokenizer(vocabulary)
    #expect(try tokenizer.encode("\u{E9}") == [1, 2, 3])
    #expect(try tokenizer.encode("e\u{301}") == [1, 2, 5])
  }

  @Test func refusesCountsThatDiffer() {
    var vocabulary = bytes
    vocabulary.tokenTypes = [1, 1]
    expectRefusal(vocabulary, "tokenizer.ggml.token_type", "3", "not 2")
    vocabulary = pieces
    vocabulary.model = .sentencePiece(scores: [0])
    expectRefusal(vocabulary, "tokenizer.ggml.scores", "6", "not 1")
    (vocabulary.tokens, vocabulary.tokenTypes) = ([], [])
    expectRefusal(vocabulary, "tokenizer.ggml.tokens", "not 0")
  }

  @Test(arguments: [0, 7, -1, .max])
  func refusesTokenTypes(type: Int) {
    var vocabulary = bytes
    vocabulary.tokenTypes[2] = type
    expectRefusal(vocabulary, "tokenizer.ggml.token_type[2]", "not \(type)")
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func refusesScores(score: Float) {
    var vocabulary = pieces
    vocabulary.model = .sentencePiece(scores: [0, 0, 0, score, 0, 0])
    expectRefusal(vocabulary, "tokenizer.ggml.scores[3]", "\(score)")
  }

  @Test(arguments: [3, 9, .max])
  func refusesIDsOutOfRange(id: Int) {
    let keys: [(String, WritableKeyPath<GGUFVocabulary, Int?>)] = [
      ("bos", \.bosToken), ("eos", \.eosToken), ("unknown", \.unknownToken), ("padding", \.paddingToken),
    ]
    for (name, key) in keys {
      var vocabulary = bytes
      vocabulary[keyPath: key] = id
      expectRefusal(vocabulary, "tokenizer.ggml.\(name)_token_id", "not \(id)")
    }
  }

  @Test func refusesToAddATokenThatTheFileDoesNotName() {
    var vocabulary = bytes
    vocabulary.addsBOS = true
    expectRefusal(vocabulary, "tokenizer.ggml.bos_token_id")
    vocabulary.bosToken = 0
    vocabulary.addsEOS = true
    expectRefusal(vocabulary, "tokenizer.ggml.eos_token_id")
    vocabulary = pieces
    vocabulary.bosToken = nil
    expectRefusal(vocabulary, "tokenizer.ggml.bos_token_id")
    vocabulary.bosToken = 5
    vocabulary.tokenTypes[5] = 5
    vocabulary.tokens[5] = "[PAD5]"
    expectRefusal(vocabulary, "tokenizer.ggml.bos_token_id", "not 5")
  }

  @Test func refusesWhatTheModelHasNoUseFor() {
    var vocabulary = bytes
    vocabulary.addsSpacePrefix = true
    expectRefusal(vocabulary, "tokenizer.ggml.add_space_prefix", "true")
    vocabulary = bytes
    vocabulary.tokenTypes[1] = 6
    expectRefusal(vocabulary, "tokenizer.ggml.token_type[1]")
  }

  @Test func refusesByteTokensThatAreNotAll() {
    var vocabulary = pieces
    vocabulary.tokens[5] = "<0x41>"
    expectRefusal(vocabulary, "tokenizer.ggml.token_type[5]", "'<0x41>'")
    vocabulary.tokenTypes[5] = 6
    expectRefusal(vocabulary, "tokenizer.ggml.tokens", "256", "not 1")
    for spelling in ["<0x4a>", "<0xZZ>", "<0x+4>", "A"] {
      vocabulary.tokens[5] = spelling
      expectRefusal(vocabulary, "tokenizer.ggml.tokens[5]", "'\(spelling)'")
    }
  }

  @Test func refusesUnknownCharactersWithoutAToken() {
    var vocabulary = pieces
    vocabulary.tokenTypes[0] = 3
    expectRefusal(vocabulary, "tokenizer.ggml.unknown_token_id")
  }

  /// SentencePiece makes such tokens and takes them apart again.
  @Test func refusesUnusedTokensThatMergesMake() throws {
    var vocabulary = pieces
    vocabulary.tokenTypes[5] = 5
    expectRefusal(vocabulary, "tokenizer.ggml.token_type[5]", "'ab'")
    vocabulary.tokens[5] = "\u{E9}"
    expectRefusal(vocabulary, "tokenizer.ggml.token_type[5]")
    vocabulary.tokens[5] = "[PAD5]"
    #expect(try Tokenizer(vocabulary).encode("ab") == [1, 2, 3, 4])
  }

  @Test func boundsWhatMergesMayTake() {
    var vocabulary = pieces
    vocabulary.tokens[5] = String(repeating: "a", count: 513)
    expectRefusal(vocabulary, "tokenizer.ggml.tokens[5]", "not 513")
    vocabulary = bytes
    vocabulary.tokens[1] = String(repeating: "b", count: 5 << 20)
    vocabulary.tokenTypes[1] = 4
    vocabulary.model = .byteLevel(preTokenizer: "gpt-2", merges: [])
    expectRefusal(vocabulary, "tokenizer.ggml.tokens", "user-defined")
  }

  @Test func survivesRandomVocabularies() {
    var random = SystemRandomNumberGenerator()
    let parts = [
      "a", "b", "ab", "\u{2581}", "\u{2581}a", "<0x41>", "<s>", "", " ", "é", "e\u{301}", "[PAD]", "🙂", "a b",
    ]
    for _ in 0..<300 {
      let count = Int.random(in: 0...8, using: &random)
      let types = (0..<count).map { _ in Int.random(in: 1...6, using: &random) }
      let scores = (0..<count).map { _ in Float.random(in: -2...0, using: &random).rounded() }
      let merges = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        parts.randomElement(using: &random)! + " " + parts.randomElement(using: &random)!
      }
      let isBytes = Bool.random(using: &random)
      let vocabulary = GGUFVocabulary(
        path: "random.gguf",
        model: isBytes
          ? .byteLevel(preTokenizer: ByteLevelRecipe.names.randomElement(using: &random)!, merges: merges)
          : .sentencePiece(scores: scores),
        tokens: Array(parts.shuffled(using: &random).prefix(count)), tokenTypes: types,
        bosToken: 0, eosToken: Bool.random(using: &random) ? 1 : nil)
      guard let tokenizer = try? Tokenizer(vocabulary) else { continue }
      guard let ids = try? tokenizer.encode("ab é<s>[PAD]🙂 \u{2581}a<0x41>") else { continue }
      #expect(ids.allSatisfy { Int($0) < count })
      _ = try? tokenizer.decode(ids)
    }
  }
}
