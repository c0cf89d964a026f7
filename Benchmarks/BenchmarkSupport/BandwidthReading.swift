/// Passes over memory far larger than the caches, in bytes per second.
public struct BandwidthReading: Sendable, Equatable, Codable {
  public var median: Double
  public var best: Double

  /// - Parameter passes: seconds each took, at least one.
  public init(byteCount: Int, passes: [Double]) {
    precondition(!passes.isEmpty, "no passes over memory")
    let rates = passes.map { Double(byteCount) / $0 }
    median = rates.median ?? 0
    best = rates.max() ?? 0
  }

  /// Several readings as one: the median of medians, the best of all.
  public init?(_ readings: [BandwidthReading]) {
    guard let median = readings.map(\.median).median, let best = readings.map(\.best).max() else {
      return nil
    }
    self.median = median
    self.best = best
  }
}
