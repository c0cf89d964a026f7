/// Why a text cannot be scored.
public enum PerplexityError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The text has fewer than two tokens: nothing is predicted.
  case tooFewTokens(Int)
  /// Tokens of a window, outside what the model takes.
  case contextLength(Int, maximum: Int)
  /// Tokens between the beginnings of two windows, outside 1..<contextLength.
  case stride(Int, contextLength: Int)
  /// The token at `position` of the text is none of the model's.
  case token(Int32, position: Int, vocabularySize: Int)
  /// The logits that predict the token at `position` of the text hold NaN or infinity.
  case invalidLogits(position: Int)

  public var description: String {
    switch self {
    case .tooFewTokens(let count):
      "\(count) \(count == 1 ? "token" : "tokens"); expected at least 2"
    case .contextLength(let found, let maximum):
      "windows of \(found) tokens; expected 2...\(maximum)"
    case .stride(let found, let contextLength):
      "a stride of \(found) tokens; expected 1...\(contextLength - 1), less than a window"
    case .token(let id, let position, let vocabularySize):
      "token \(position) is \(id); expected an id in 0..<\(vocabularySize), the model's vocabulary"
    case .invalidLogits(let position):
      "the logits for token \(position) hold NaN or infinity"
    }
  }
}
