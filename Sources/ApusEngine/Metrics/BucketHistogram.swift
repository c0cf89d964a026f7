/// Values counted by upper bounds that are given, as Prometheus' histograms are.
public struct BucketHistogram: Sendable, Equatable {
  /// Ascending and finite. A value belongs to the first bound that it does not exceed.
  public let upperBounds: [Double]
  /// `[upperBounds.count + 1]`: values of each bound, and last those beyond all. Not cumulative.
  public private(set) var counts: [UInt64]
  public private(set) var count: UInt64 = 0
  public private(set) var sum: Double = 0

  public init(upperBounds: [Double] = []) {
    precondition(
      upperBounds.allSatisfy(\.isFinite) && zip(upperBounds, upperBounds.dropFirst()).allSatisfy { $0 < $1 },
      "bounds that do not ascend: \(upperBounds)")
    self.upperBounds = upperBounds
    counts = Array(repeating: 0, count: upperBounds.count + 1)
  }

  /// - Parameter value: finite.
  public mutating func record(_ value: Double) {
    counts[upperBounds.firstIndex { value <= $0 } ?? upperBounds.count] += 1
    count += 1
    sum += value
  }
}

/// Bounds of the histograms that metrics export: vLLM's, so that its dashboards read ours.
public enum MetricBuckets {
  public static let firstTokenSeconds: [Double] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160,
    640, 2560,
  ]
  public static let interTokenSeconds: [Double] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
  ]
  public static let requestSeconds: [Double] = [
    0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
  ]
  public static let stepTokens: [Double] = [
    1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384,
  ]

  /// 1, 2 and 5 times powers of ten, as far as `maximum`.
  public static func tokens(upTo maximum: Int) -> [Double] {
    var bounds: [Double] = []
    var power = 1.0
    while true {
      for factor in [1.0, 2, 5] {
        guard factor * power <= Double(maximum) else { return bounds }
        bounds.append(factor * power)
      }
      power *= 10
    }
  }
}
