import Apus
import ApusEngine
import ApusTokenizer
import Foundation
import Testing

@Suite struct GeneratedTextTests {
  /// A tokenizer of Llama 2's kind: byte fallback, and no space at the beginning of a text.
  private let tokenizer: Tokenizer

  init() throws {
    let bytes = (0..<256).map { byte in
      "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
    }
    let tokens = ["<unk>", "<s>", "</s>"] + bytes + ["▁a", "▁b", "c", "▁", "a", "b"]
    let vocabulary = tokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let special = tokens.prefix(3).enumerated().map { id, content in
      """
      {"id": \(id), "content": "\(content)", "single_word": false, "lstrip": false, "rstrip": false, \
      "normalized": false, "special": true}
      """
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let json = """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [\(special.joined(separator: ","))],
       "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
         {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
       "pre_tokenizer": null, "post_processor": null,
       "decoder": {"type": "Sequence", "decoders": [
         {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
         {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
       "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
         "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
         "vocab": {\(vocabulary)}, "merges": ["▁ a", "▁ b"]}}
      """
    try Data(json.utf8).write(to: file)
    tokenizer = try Tokenizer(tokenizerFile: file)
  }

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
