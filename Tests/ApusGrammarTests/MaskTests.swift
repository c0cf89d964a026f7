import ApusEngine
@testable import ApusGrammar
import Foundation
import TestSupport
import Testing

@Suite struct MaskTests {
  static let formats: [(name: String, format: OutputFormat)] =
    Fixtures.schemas.filter { item in
      // A random URI of these tokens takes thousands to end.
      !Fixtures.wanders(item.name) && item.name != "uri"
        && (!item.name.hasPrefix("numbers") || item.name.contains("10.05"))
    }.map { ($0.name, .json(schema: $0.schema)) }
    + [
      ("objects", .jsonObject), ("regex", .regex("[a-c]{2,5}(é|🐦)*(\\d+[.,])?x?")),
      ("any text", .regex("[\\s\\S]*")), ("choice", .choice(["abc", "ab", "true", "\u{1F426}\"}"])),
    ]

  /// The mask, one token after another.
  private func bruteForce(_ state: AutomatonState, _ grammar: CompiledGrammar) -> [Int32] {
    (0..<Int32(grammar.vocabulary.size)).filter { token in
      if grammar.vocabulary.eosTokenIDs.contains(token) { return grammar.isAccepting(state) }
      guard let bytes = grammar.vocabulary.bytes(of: token) else { return false }
      var state = state
      return bytes.allSatisfy { state.read($0, grammar.automaton) }
    }
  }

  private func check(
    _ format: OutputFormat, _ vocabulary: TokenVocabulary, texts: Int, oneIn: Int, nestingMax: Int = 32
  ) throws {
    let grammar = try CompiledGrammar(
      format, options: GrammarOptions(nestingMax: nestingMax), vocabulary: vocabulary)
    var random = SplitMix64(seed: 3)
    var pick = SplitMix64(seed: 4)
    for _ in 0..<texts {
      let text = grammar.randomText(&random) { state, mask in
        guard Int.random(in: 0..<oneIn, using: &pick) == 0 else { return }
        let expected = bruteForce(state, grammar)
        #expect(mask.tokens == expected)
        #expect(!expected.isEmpty)
      }
      #expect(text != nil, "a dead end, or no end")
    }
  }

  @Test(arguments: formats)
  func masksAreWhatTheAutomatonReadsTokenByToken(name: String, format: OutputFormat) throws {
    try check(format, Vocabularies.bytes, texts: 12, oneIn: 1)
    try check(format, Vocabularies.bytes, texts: 6, oneIn: 1, nestingMax: 6)
    try check(format, Vocabularies.stories.vocabulary, texts: 3, oneIn: 8)
  }

  @Test(.enabled(if: SharedData.folder != nil, "no shared data"), arguments: ["stories260K-hf", "qwen2.5"])
  func masksOfRealVocabulariesAreWhatTheAutomatonReads(folder: String) throws {
    guard let (vocabulary, _) = try Vocabularies.shared(folder) else { return }
    for name in ["person", "recursive", "lengths beside others"] {
      let (_, format) = try #require(Self.formats.first { $0.name == name })
      try check(format, vocabulary, texts: 1, oneIn: folder == "qwen2.5" ? 40 : 2)
    }
  }

  @Test func masksThatWereDroppedComeBackTheSame() throws {
    let grammar = try CompiledGrammar(.regex("([a-c]{20}|x)*y"), vocabulary: Vocabularies.bytes)
    let (automaton, vocabulary) = (grammar.automaton, grammar.vocabulary)
    var large = MaskCache(automaton, vocabulary)
    var small = MaskCache(automaton, vocabulary, byteCountMax: 600)
    var state = AutomatonState(automaton)
    for byte in String(repeating: "abcabcabcabcabcabcabx", count: 3).utf8 {
      var expected = TokenMask(vocabularySize: vocabulary.size)
      var mask = expected
      large.fill(&expected, at: state)
      small.fill(&mask, at: state)
      #expect(mask == expected)
      #expect(small.byteCount <= 600)
      let isRead = state.read(byte, automaton)
      #expect(isRead)
    }
    #expect(large.byteCount > 2000)
  }

  @Test func aCopyGoesItsOwnWay() throws {
    let grammar = try CompiledGrammar(.regex("a(b|c)d"), vocabulary: Vocabularies.bytes)
    var first = GrammarConstraint(grammar)
    first.advance(Int32(UInt8(ascii: "a")))
    var second = first
    first.advance(Int32(UInt8(ascii: "b")))
    first.advance(Int32(UInt8(ascii: "d")))
    #expect(first.isComplete && !second.isComplete)
    var mask = TokenMask(vocabularySize: grammar.vocabulary.size)
    second.allowedTokens(into: &mask)
    #expect(mask.tokens == [Int32(UInt8(ascii: "b")), Int32(UInt8(ascii: "c"))])
  }

  @Test func theEndIsAllowedWhereTheTextMayGoOnAndNotAskedForWhereItMayNot() throws {
    let vocabulary = Vocabularies.bytes
    let grammar = try CompiledGrammar(.regex("ab*|c"), vocabulary: vocabulary)
    var constraint = GrammarConstraint(grammar)
    var mask = TokenMask(vocabularySize: vocabulary.size)
    let end = vocabulary.eosTokenIDs[0]
    constraint.allowedTokens(into: &mask)
    #expect(!mask[end])
    constraint.advance(Int32(UInt8(ascii: "a")))
    constraint.allowedTokens(into: &mask)
    #expect(mask.tokens == [Int32(UInt8(ascii: "b")), end])
    #expect(!constraint.isComplete)
    constraint.advance(end)
    #expect(constraint.isComplete)
    var other = GrammarConstraint(grammar)
    other.advance(Int32(UInt8(ascii: "c")))
    #expect(other.isComplete)
  }

  @Test func partsOfCharactersComeTogetherOrNotAtAll() throws {
    let vocabulary = Vocabularies.bytes
    let grammar = try CompiledGrammar(.json(schema: "{\"type\": \"string\"}"), vocabulary: vocabulary)
    func id(_ bytes: [UInt8]) throws -> Int32 {
      try #require((0..<Int32(vocabulary.size)).first { vocabulary.bytes(of: $0).map { Array($0) } == bytes })
    }
    let quote = try id([0x22])
    #expect(try grammar.allows([quote, id([0xC3]), id([0xA9, 0x22])]))
    #expect(try grammar.allows([quote, id([0xF0, 0x9F]), id([0x90]), id([0xA6]), quote]))
    #expect(try !grammar.allows([quote, id([0xF0, 0x9F]), id([0xA9, 0x22])]))
    #expect(try !grammar.allows([quote, id([0xC3]), quote]))
    #expect(try !grammar.allows([quote, id([0x9F, 0x90, 0xA6]), quote]))
  }
}
