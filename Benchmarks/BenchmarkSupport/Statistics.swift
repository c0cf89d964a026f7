/// The middle of what was measured, and its extremes.
public struct Spread: Sendable, Equatable, Codable {
  public var median: Double
  public var minimum: Double
  public var maximum: Double

  /// Nil without values.
  public init?(_ values: some Collection<Double>) {
    guard let minimum = values.min(), let maximum = values.max() else { return nil }
    self.minimum = minimum
    self.maximum = maximum
    median = values.median ?? minimum
  }
}

extension Collection where Element == Double {
  /// The middle value, or the mean of the two in the middle; nil when there is none.
  public var median: Double? {
    guard !isEmpty else { return nil }
    let sorted = sorted()
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  }

  /// The smallest value that a share `q`, in 0...1, of all values do not exceed (nearest rank); nil when
  /// there is none.
  public func quantile(_ q: Double) -> Double? {
    guard !isEmpty else { return nil }
    let rank = Int((Swift.min(Swift.max(q, 0), 1) * Double(count)).rounded(.up))
    return sorted()[Swift.max(rank, 1) - 1]
  }

  /// The arithmetic mean; nil when there is no value.
  public var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
