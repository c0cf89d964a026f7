/// Durations in buckets of constant relative width: 16 to each power of two of nanoseconds, so that a
/// quantile is within 1/32 of the true one, in bounded memory, for everything from 1 ns to centuries. The
/// layout is HdrHistogram's (Tene). Beside it, the counts within `buckets`, for those who want bounds of their own.
public struct LatencyHistogram: Sendable, Equatable {
  private static let subBucketBits = 4
  private static let subBuckets = 1 << subBucketBits
  private var counts: [UInt64] = Array(repeating: 0, count: subBuckets * (65 - subBucketBits))

  public private(set) var count: UInt64 = 0
  /// Seconds, over all recorded durations.
  public private(set) var sum: Double = 0
  /// Seconds. Zero while nothing is recorded.
  public private(set) var max: Double = 0
  /// The same durations, in seconds.
  public private(set) var buckets: BucketHistogram

  /// - Parameter upperBounds: of `buckets`, in seconds, ascending.
  public init(upperBounds: [Double] = []) { buckets = BucketHistogram(upperBounds: upperBounds) }

  /// Seconds; 0 while nothing is recorded.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  public mutating func record(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let clamped = UInt64(Swift.max(0, Swift.min(seconds, 9_000_000_000)))
    let nanoseconds = clamped * 1_000_000_000 + UInt64(Swift.max(0, attoseconds) / 1_000_000_000)
    counts[Self.bucket(of: nanoseconds)] += 1
    count += 1
    let value = Double(nanoseconds) * 1e-9
    sum += value
    max = Swift.max(max, value)
    buckets.record(value)
  }

  /// The duration, in seconds, that a share `q` of the recorded ones do not exceed; nil while nothing is
  /// recorded. `q` is clamped to 0...1.
  public func quantile(_ q: Double) -> Double? {
    guard count > 0 else { return nil }
    let rank = Swift.max(1, UInt64((Swift.min(Swift.max(q, 0), 1) * Double(count)).rounded(.up)))
    var seen: UInt64 = 0
    for bucket in counts.indices {
      seen += counts[bucket]
      if seen >= rank { return Swift.min(Self.middle(of: bucket) * 1e-9, max) }
    }
    return max
  }

  /// Below 16 ns a bucket is one nanosecond; above, the top bit and the four after it name the bucket.
  static func bucket(of nanoseconds: UInt64) -> Int {
    let exponent = 63 - Swift.max(nanoseconds, 1).leadingZeroBitCount
    guard exponent >= subBucketBits else { return Int(nanoseconds) }
    let shift = exponent - subBucketBits
    return (shift + 1) * subBuckets + Int(nanoseconds >> UInt64(shift)) - subBuckets
  }

  static func middle(of bucket: Int) -> Double {
    guard bucket >= subBuckets else { return Double(bucket) }
    let shift = bucket / subBuckets - 1
    let lower = Double(bucket % subBuckets + subBuckets)
    return (lower + 0.5) * Double(UInt64(1) << UInt64(shift))
  }
}
