import ApusTokenizer

/// The text of tokens that go on from a prompt's: whole characters, and none of the prompt's own.
struct ContinuedText: Sendable {
  private var detokenizer: StreamingDetokenizer
  /// The end of the prompt's text that is not settled yet: it begins what comes first.
  private var promptRest: String

  init(_ tokenizer: Tokenizer, continuing prompt: [Int32], skipSpecialTokens: Bool = true) {
    detokenizer = StreamingDetokenizer(tokenizer, skipSpecialTokens: skipSpecialTokens)
    for token in prompt { _ = try? detokenizer.append(token) }
    var copy = detokenizer
    promptRest = (try? copy.finish()) ?? ""
  }

  /// The text that `token` settles. Ids without a token are no text, as in Hugging Face tokenizers: a model's
  /// vocabulary may be larger than its tokenizer's.
  mutating func append(_ token: Int32) -> String {
    withoutPromptRest((try? detokenizer.append(token)) ?? "")
  }

  /// The text that still waited. Nothing may follow.
  mutating func finish() -> String {
    withoutPromptRest((try? detokenizer.finish()) ?? "")
  }

  /// What `finish` would return if all of it is sure to be text: nothing where a character has only begun.
  var rest: String {
    var copy = self
    let rest = copy.finish()
    return rest.unicodeScalars.contains("\u{FFFD}") ? "" : rest
  }

  private mutating func withoutPromptRest(_ piece: String) -> String {
    guard !promptRest.isEmpty, !piece.isEmpty else { return piece }
    defer { promptRest = "" }
    guard piece.utf8.starts(with: promptRest.utf8) else { return piece }
    return String(decoding: piece.utf8.dropFirst(promptRest.utf8.count), as: UTF8.self)
  }
}
