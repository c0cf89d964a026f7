/// The mean of a sample, and how far it may be from the mean of all there is.
public struct SampleMean: Sendable, Equatable {
  public var value: Double
  /// Standard deviation of the sample (with n - 1) over the root of n, as if its values were independent; nil for a
  /// single value. Neighbouring tokens are not independent, so the true error of a text's mean is larger.
  public var standardError: Double?

  /// - Parameter sample: at least one value. Summed in their order.
  public init(_ sample: [Double]) {
    precondition(!sample.isEmpty, "the mean of nothing")
    let count = Double(sample.count)
    let mean = sample.reduce(0, +) / count
    value = mean
    guard sample.count > 1 else { return }
    let squares = sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = (squares / (count - 1) / count).squareRoot()
  }
}
