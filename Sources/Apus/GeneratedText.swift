public import ApusEngine
public import ApusTokenizer

/// Turns a request's tokens into text as they come: whole characters, no special tokens unless asked for, and
/// not the token that stopped the request, whatever it is.
///
/// Text goes on from the prompt: the text of the prompt and all that `append` returns, put together, is what
/// the tokenizer decodes for all the tokens. So a first word keeps the space before it, which decoders of the
/// SentencePiece kind take away at the beginning of a text, and a character that the prompt cut
/// short is whole.
///
/// With stop strings, the text ends before the first of them. Text that may begin one waits until it is
/// clear that it does not.
public struct GeneratedText: Sendable {
  private var text: StoppableText
  /// The newest token: it is text only if it turns out not to be the one that stopped the request.
  private var held: Int32?

  /// - Parameters:
  ///   - prompt: the tokens that are continued.
  ///   - skipSpecialTokens: special tokens are no text.
  public init(_ tokenizer: Tokenizer, continuing prompt: [Int32] = [], skipSpecialTokens: Bool = true) {
    text = StoppableText(tokenizer, continuing: prompt, skipSpecialTokens: skipSpecialTokens)
  }

  /// - Parameters:
  ///   - stop: what the request was given as its stop condition.
  ///   - includeStopString: the text ends after the stop string, not before it; then nothing waits.
  public init(endingAt stop: StopStrings, includeStopString: Bool = false) {
    text = stop.text
    text.includesStopString = includeStopString
  }

  /// The text that `event` settles. Ids without a token are no text, as in Hugging Face tokenizers: a model's
  /// vocabulary may be larger than its tokenizer's.
  public mutating func append(_ event: TokenEvent) -> String {
    var piece = ""
    switch event {
    case .promptLogprobs: break
    case .token(let token):
      if let held { piece = text.append(held) }
      held = token.id
    case .finished(let reason, _):
      if let held, !reason.isStop { piece = text.append(held) }
      held = nil
      piece += text.finish()
    }
    return piece
  }

  /// The text of a whole result.
  public mutating func append(_ result: GenerationResult) -> String {
    result.tokens.map { append(.token($0)) }.joined() + append(.finished(result.finishReason, result.usage))
  }
}

extension FinishReason {
  fileprivate var isStop: Bool { if case .stop = self { true } else { false } }
}
