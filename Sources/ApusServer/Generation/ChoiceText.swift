package import Apus
package import ApusEngine
package import ApusTokenizer

/// A token with its log-probabilities and its place in the text.
package struct LoggedToken: Sendable, Equatable {
  package var id: Int32
  /// Nil for a prompt's first token, which nothing predicts.
  package var logprobs: TokenLogprobs?
  /// Characters of the text before it.
  package var offset: Int

  package init(id: Int32, logprobs: TokenLogprobs?, offset: Int) {
    self.id = id
    self.logprobs = logprobs
    self.offset = offset
  }
}

/// What became of a choice since it was last looked at.
package struct ChoiceDelta: Sendable, Equatable {
  package var text = ""
  /// Tokens whose text has begun in `text` or before; empty without log-probabilities.
  package var tokens: [LoggedToken] = []
  /// Set at the end.
  package var finish: FinishReason?
  package var usage: Usage?

  package init() {}

  package var isEmpty: Bool { text.isEmpty && tokens.isEmpty && finish == nil }

  /// Takes up what came after.
  package mutating func append(_ next: ChoiceDelta) {
    text += next.text
    tokens += next.tokens
    finish = next.finish ?? finish
    usage = next.usage ?? usage
  }
}

/// A prompt that its answer begins with.
package struct EchoedPrompt: Sendable, Equatable {
  package var text: String
  package var tokens: [Int32]
  /// Nothing follows it.
  package var isAll: Bool

  package init(text: String, tokens: [Int32], isAll: Bool = false) {
    self.text = text
    self.tokens = tokens
    self.isAll = isAll
  }
}

/// Turns one choice's tokens into what a client gets of it: text, and where asked for log-probabilities,
/// which come with the text of their tokens. A token that stopped the choice, and tokens whose text lies
/// wholly behind the end that a stop string set, are not part of it.
package struct ChoiceText: Sendable {
  private var text: GeneratedText
  private let tokenText: TokenText?
  private let skipsSpecialTokens: Bool
  /// Until it is given away.
  private var echo: EchoedPrompt?
  private let isEchoOnly: Bool
  /// Tokens that were not given away yet. The newest may turn out to be the one that stopped the choice.
  private var pending: [LoggedToken] = []
  /// Characters of all tokens so far, and those given away.
  private var tokenScalars: Int
  private var textScalars: Int

  /// - Parameter tokenizer: nil if no log-probabilities are asked for.
  package init(
    _ text: GeneratedText, logprobsOf tokenizer: Tokenizer?, skipsSpecialTokens: Bool = true,
    echo: EchoedPrompt? = nil
  ) {
    self.text = text
    tokenText = tokenizer.map { TokenText(tokenizer: $0) }
    self.skipsSpecialTokens = skipsSpecialTokens
    self.echo = echo
    isEchoOnly = echo?.isAll ?? false
    tokenScalars = echo?.text.unicodeScalars.count ?? 0
    textScalars = tokenScalars
  }

  package mutating func append(_ event: TokenEvent) -> ChoiceDelta {
    var delta = takeEcho(event)
    if case .finished(let reason, var usage) = event {
      if isEchoOnly { usage.completionTokenCount = 0 }
      delta.finish = isEchoOnly && reason.isNatural ? .length : reason
      delta.usage = usage
    }
    guard !isEchoOnly else { return delta }
    let piece = text.append(event)
    delta.text += piece
    guard let tokenText else { return delta }
    textScalars += piece.unicodeScalars.count
    switch event {
    case .promptLogprobs: break
    case .token(let token):
      pending.append(LoggedToken(id: token.id, logprobs: token.logprobs, offset: tokenScalars))
      tokenScalars += width(token.id, tokenText)
      let count = pending.dropLast().prefix { $0.offset < textScalars }.count
      delta.tokens += pending.prefix(count)
      pending.removeFirst(count)
    case .finished(let reason, _):
      switch reason {
      case .stop: delta.tokens += pending.dropLast()
      case .stopCondition: delta.tokens += pending.prefix { $0.offset < textScalars }
      default: delta.tokens += pending
      }
      pending = []
    }
    return delta
  }

  private func width(_ id: Int32, _ tokenText: TokenText) -> Int {
    skipsSpecialTokens && tokenText.isSpecial(id) ? 0 : tokenText.bytes(of: id).scalarCount
  }

  /// The prompt, with the first event: log-probabilities of its tokens are that event.
  private mutating func takeEcho(_ event: TokenEvent) -> ChoiceDelta {
    var delta = ChoiceDelta()
    guard let echo else { return delta }
    self.echo = nil
    delta.text = echo.text
    guard let tokenText, case .promptLogprobs(let logprobs) = event else { return delta }
    var offset = 0
    for (id, logprobs) in zip(echo.tokens, logprobs) {
      delta.tokens.append(LoggedToken(id: id, logprobs: logprobs, offset: offset))
      offset += width(id, tokenText)
    }
    return delta
  }
}
