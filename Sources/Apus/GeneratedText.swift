public import ApusEngine
public import ApusTokenizer

/// Turns a request's tokens into text as they come: whole characters, no special tokens, and not the token
/// that stopped the request, whatever it is.
///
/// Text goes on from the prompt: the text of the prompt and all that `append` returns, put together, is what
/// the tokenizer decodes for all the tokens. So a first word keeps the space before it, which decoders of the
/// SentencePiece kind take away at the beginning of a text, and a character that the prompt cut
/// short is whole.
public struct GeneratedText: Sendable {
  private var detokenizer: StreamingDetokenizer
  /// The newest token: it is text only if it turns out not to be the one that stopped the request.
  private var held: Int32?
  /// The end of the prompt's text that is not settled yet: it begins what comes first.
  private var promptRest: String

  /// - Parameter prompt: the tokens that are continued.
  public init(_ tokenizer: Tokenizer, continuing prompt: [Int32] = []) {
    detokenizer = StreamingDetokenizer(tokenizer)
    for token in prompt { _ = try? detokenizer.append(token) }
    var copy = detokenizer
    promptRest = (try? copy.finish()) ?? ""
  }

  /// The text that `event` settles. Ids without a token are no text, as in Hugging Face tokenizers: a model's
  /// vocabulary may be larger than its tokenizer's.
  public mutating func append(_ event: TokenEvent) -> String {
    var piece = ""
    switch event {
    case .token(let token):
      if let held { piece = text(of: held) }
      held = token.id
    case .finished(let reason, _):
      if let held, !reason.isStop { piece = text(of: held) }
      held = nil
      piece += withoutPromptRest((try? detokenizer.finish()) ?? "")
    }
    return piece
  }

  /// The text of a whole result.
  public mutating func append(_ result: GenerationResult) -> String {
    result.tokens.map { append(.token($0)) }.joined() + append(.finished(result.finishReason, result.usage))
  }

  private mutating func text(of token: Int32) -> String {
    withoutPromptRest((try? detokenizer.append(token)) ?? "")
  }

  private mutating func withoutPromptRest(_ piece: String) -> String {
    guard !promptRest.isEmpty, !piece.isEmpty else { return piece }
    defer { promptRest = "" }
    guard piece.utf8.starts(with: promptRest.utf8) else { return piece }
    return String(decoding: piece.utf8.dropFirst(promptRest.utf8.count), as: UTF8.self)
  }
}

extension FinishReason {
  fileprivate var isStop: Bool { if case .stop = self { true } else { false } }
}
