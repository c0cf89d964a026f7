import ApusEngine
import ApusTokenizer

/// Log-probabilities in the two shapes of OpenAI's interface.
struct LogprobsText: Sendable {
  private let text: TokenText

  init(_ tokenizer: Tokenizer) { text = TokenText(tokenizer: tokenizer) }

  /// JSON has no infinity: OpenAI's and vLLM's number for what cannot come.
  static let lowest: Float = -9999

  private func logprob(_ value: Float) -> JSONText { .float(max(value, Self.lowest)) }

  /// A token as a string: bytes that are no whole character are U+FFFD.
  private func string(_ id: Int32) -> String { String(decoding: text.bytes(of: id), as: UTF8.self) }

  /// Of completions: parallel arrays.
  func completion(_ tokens: [LoggedToken]) -> JSONText {
    [
      "tokens": .array(tokens.map { .string(string($0.id)) }),
      "token_logprobs": .array(tokens.map { .optional($0.logprobs) { logprob($0.chosen) } }),
      "top_logprobs": .array(tokens.map { token in .optional(token.logprobs) { top(token.id, $0) } }),
      "text_offset": .array(tokens.map { .integer($0.offset) }),
    ]
  }

  /// By token, the generated one always among them. Of tokens that look alike the most likely is kept.
  private func top(_ id: Int32, _ logprobs: TokenLogprobs) -> JSONText {
    var entries = logprobs.top.map { (string($0.id), $0.logprob) }
    if !logprobs.top.contains(where: { $0.id == id }) { entries.append((string(id), logprobs.chosen)) }
    var seen: Set<[UInt8]> = []
    return .object(
      entries.filter { seen.insert(Array($0.0.utf8)).inserted }
        .map { JSONText.Member(name: $0.0, value: logprob($0.1)) })
  }

  /// Of chat: an object for each token.
  func chat(_ tokens: [LoggedToken]) -> JSONText {
    [
      "content": .array(
        tokens.compactMap { token in
          guard let logprobs = token.logprobs else { return nil }
          var members = entry(token.id, logprobs.chosen)
          members.append(
            JSONText.Member(
              name: "top_logprobs",
              value: .array(logprobs.top.map { .object(entry($0.id, $0.logprob)) })))
          return .object(members)
        }),
      "refusal": .null,
    ]
  }

  private func entry(_ id: Int32, _ value: Float) -> [JSONText.Member] {
    let bytes = text.bytes(of: id)
    return [
      JSONText.Member(name: "token", value: .string(String(decoding: bytes, as: UTF8.self))),
      JSONText.Member(name: "logprob", value: logprob(value)),
      JSONText.Member(name: "bytes", value: .array(bytes.map { .integer(Int($0)) })),
    ]
  }
}
