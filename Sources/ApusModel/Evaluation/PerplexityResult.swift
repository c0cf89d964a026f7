import Foundation

/// How well a model predicts a text.
public struct PerplexityResult: Sendable, Equatable {
  /// -log p of each token but the first, given the tokens before it in its window, in nats, in the text's order.
  public var negativeLogLikelihoods: [Double]
  /// How the logits of the same rows differ from the first model's, in the same order. Empty for the first model.
  public var differences: [LogitDifference]
  /// Tokens that were run through the model, those in which windows overlap each time.
  public var rowCount: Int
  /// Time of these runs and of their likelihoods; not of comparing logits.
  public var duration: Duration

  public init(
    negativeLogLikelihoods: [Double], differences: [LogitDifference] = [], rowCount: Int, duration: Duration
  ) {
    self.negativeLogLikelihoods = negativeLogLikelihoods
    self.differences = differences
    self.rowCount = rowCount
    self.duration = duration
  }

  /// In nats a token.
  public var meanNegativeLogLikelihood: SampleMean { SampleMean(negativeLogLikelihoods) }

  /// exp of the mean negative log-likelihood; the standard error is that of the mean, to first order.
  public var perplexity: SampleMean { meanNegativeLogLikelihood.exponential }

  /// Rows a second.
  public var tokensPerSecond: Double { Double(rowCount) / (duration / .seconds(1)) }

  /// This model against `first`, on the same tokens; nil where no logits were compared.
  public func comparison(with first: PerplexityResult) -> PerplexityComparison? {
    guard !differences.isEmpty else { return nil }
    let logRatios = zip(negativeLogLikelihoods, first.negativeLogLikelihoods).map { $0 - $1 }
    let squares = differences.reduce(0) { $0 + $1.squaredError }
    let norm = differences.reduce(0) { $0 + $1.squaredNorm }
    let sameTop = differences.count { $0.sameTop }
    return PerplexityComparison(
      ratio: SampleMean(logRatios).exponential,
      klDivergence: SampleMean(differences.map(\.klDivergence)),
      normalizedSquaredError: squares / norm,
      sameTopShare: Double(sameTop) / Double(differences.count))
  }
}

/// One model's predictions of a text against another's.
public struct PerplexityComparison: Sendable, Equatable {
  /// This perplexity over the other. Its standard error is that of the paired differences: much smaller than those of
  /// the two perplexities.
  public var ratio: SampleMean
  /// KL divergence of this model's distributions from the other's, in nats: the mean over rows of
  /// `sum(p * log(p / q))` with the other's p and this one's q.
  public var klDivergence: SampleMean
  /// Squares of the differences of logits, summed over all rows, over the squares of the other's logits.
  public var normalizedSquaredError: Double
  /// Share of rows, in 0...1, in which both find the same token the most likely.
  public var sameTopShare: Double
}

extension SampleMean {
  /// exp of the mean, with its standard error to first order.
  fileprivate var exponential: SampleMean {
    var result = self
    result.value = exp(value)
    result.standardError = standardError.map { $0 * result.value }
    return result
  }
}
