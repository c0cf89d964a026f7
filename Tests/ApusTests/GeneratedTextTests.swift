import Apus
import ApusEngine
import ApusTokenizer
import Testing

@Suite struct GeneratedTextTests {
  /// A tokenizer of Llama 2's kind: byte fallback, and no space at the beginning of a text.
  private let tokenizer: Tokenizer

  init() throws { tokenizer = try FallbackTokenizer.make() }

  private func ids(_ tokens: [String]) throws -> [Int32] {
    try tokens.map { try #require(tokenizer.tokenID(for: $0), "\($0)") }
  }

  private func pieces(
    _ tokens: [Int32], continuing prompt: [Int32], _ reason: FinishReason = .length
  ) -> [String] {
    var text = GeneratedText(tokenizer, continuing: prompt)
    let usage = Usage(
      promptTokenCount: prompt.count, completionTokenCount: tokens.count, seed: 0,
      timing: RequestTiming(queued: .zero))
    return tokens.enumerated().map { text.append(.token(GeneratedToken(id: $1, position: $0))) }
      + [text.append(.finished(reason, usage))]
  }

  @Test(arguments: [
    (["<s>", "▁a"], ["▁b", "c"], " bc"),
    (["<s>"], ["▁b", "▁a"], "b a"),
    ([], ["▁b"], "b"),
    (["▁a", "<0x0A>"], ["▁b"], " b"),
    (["▁a", "<0x0A>"], ["<0x0A>", "c"], "\nc"),
    (["▁a", "<0xC3>"], ["<0xA9>", "c"], "éc"),
    (["▁a", "<0xC3>"], ["c"], "c"),
    (["▁a"], ["<0xC3>", "<0xA9>", "<0xC3>"], "\u{FFFD}\u{FFFD}\u{FFFD}"),
    (["▁a"], [], ""),
  ])
  func goesOnFromThePrompt(prompt: [String], tokens: [String], expected: String) throws {
    let prompt = try ids(prompt)
    let tokens = try ids(tokens)
    let text = pieces(tokens, continuing: prompt).joined()
    #expect(text == expected)
    // Where the prompt ends with a whole character, both texts make that of all tokens.
    let before = try tokenizer.decode(prompt, skipSpecialTokens: true)
    if !before.contains("\u{FFFD}") {
      #expect(before + text == (try tokenizer.decode(prompt + tokens, skipSpecialTokens: true)))
    }
  }

  @Test func leavesOutTheTokenThatStoppedItAndSpecialTokens() throws {
    let prompt = try ids(["▁a"])
    let tokens = try ids(["▁b", "</s>", "c", "▁a"])
    #expect(pieces(tokens, continuing: prompt, .stop(token: tokens[3])) == ["", " b", "", "c", ""])
    #expect(pieces(tokens, continuing: prompt, .length) == ["", " b", "", "c", " a"])
    #expect(pieces([9999] + tokens, continuing: prompt, .length).joined() == " bc a")
  }
}
