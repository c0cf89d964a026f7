/// A run of a text's tokens that a model sees together.
public struct ScoringWindow: Sendable, Equatable {
  /// The tokens in it, by their position in the text.
  public var tokens: Range<Int>
  /// The first token that is scored in it; all after it are. At least one token of the window comes before it.
  public var firstScored: Int

  /// Tokens that are run through the model: the last one is only predicted.
  public var rowCount: Int { tokens.count - 1 }
}

/// The windows in which the tokens of a text are scored.
///
/// Each holds `contextLength` tokens at most and begins `stride` tokens after the one before, and a token is scored in
/// the first window that holds it: the sliding windows of Hugging Face's guide to perplexity. Every token of the text
/// but the first is scored once; beyond the first window, given at least `contextLength - stride` tokens before it.
public struct ScoringWindows: Sendable, Equatable {
  public let tokenCount: Int
  public let contextLength: Int
  public let stride: Int
  public let windows: [ScoringWindow]

  /// Rows of all windows.
  public var rowCount: Int { windows.reduce(0) { $0 + $1.rowCount } }

  /// - Parameters:
  ///   - tokenCount: tokens of the text, at least 2.
  ///   - contextLength: tokens of a window, at least 2 and at most `contextLengthMax`.
  ///   - stride: from one window's first token to the next one's, in 1..<contextLength; nil for half a window.
  ///   - contextLengthMax: the longest window that the model takes.
  public init(
    tokenCount: Int, contextLength: Int, stride: Int? = nil, contextLengthMax: Int
  ) throws(PerplexityError) {
    guard tokenCount >= 2 else { throw .tooFewTokens(tokenCount) }
    guard contextLength >= 2, contextLength <= contextLengthMax else {
      throw .contextLength(contextLength, maximum: contextLengthMax)
    }
    let stride = stride ?? contextLength / 2
    guard stride >= 1, stride < contextLength else { throw .stride(stride, contextLength: contextLength) }
    self.tokenCount = tokenCount
    self.contextLength = contextLength
    self.stride = stride
    var windows = [ScoringWindow(tokens: 0..<min(contextLength, tokenCount), firstScored: 1)]
    while let last = windows.last, last.tokens.upperBound < tokenCount {
      let start = last.tokens.lowerBound + stride
      // Not start + contextLength: a length near the largest number must not overflow.
      let count = min(contextLength, tokenCount - start)
      windows.append(ScoringWindow(tokens: start..<start + count, firstScored: last.tokens.upperBound))
    }
    self.windows = windows
  }
}
