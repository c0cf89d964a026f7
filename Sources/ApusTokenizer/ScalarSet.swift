/// A set of Unicode scalars as ascending, disjoint ranges that do not touch.
struct ScalarSet: Sendable, Equatable {
  private(set) var ranges: [ClosedRange<UInt32>]

  static let all = ScalarSet([0...0x10FFFF])

  init(_ ranges: [ClosedRange<UInt32>]) {
    self.ranges = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
        self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  init(scalars: some Sequence<UInt32>) {
    self.init(scalars.map { $0...$0 })
  }

  mutating func formUnion(_ other: ScalarSet) {
    self = ScalarSet(ranges + other.ranges)
  }

  func union(_ other: ScalarSet) -> ScalarSet {
    ScalarSet(ranges + other.ranges)
  }

  var complement: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return ScalarSet(result)
  }

  func intersection(_ other: ScalarSet) -> ScalarSet {
    complement.union(other.complement).complement
  }

  func contains(_ scalar: UInt32) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= scalar
  }
}

/// Several sets laid out for quick membership: one bit a scalar below U+10000, a search above.
struct ScalarSetTable: Sendable {
  private static let wordsPerSet = 0x10000 / 64
  private var bits: [UInt64] = []
  private var sets: [ScalarSet] = []

  /// The index of `set`, which is added when it is new.
  mutating func index(of set: ScalarSet) -> Int {
    if let known = sets.firstIndex(of: set) { return known }
    sets.append(set)
    let base = bits.count
    bits.append(contentsOf: repeatElement(0, count: Self.wordsPerSet))
    for range in set.ranges where range.lowerBound < 0x10000 {
      let first = Int(range.lowerBound)
      let last = Int(min(range.upperBound, 0xFFFF))
      for word in first / 64...last / 64 {
        let low = max(first - word * 64, 0)
        let high = min(last - word * 64, 63)
        bits[base + word] |= (UInt64.max >> UInt64(63 - (high - low))) << UInt64(low)
      }
    }
    return sets.count - 1
  }

  @inline(__always)
  func contains(_ scalar: UInt32, set: Int) -> Bool {
    if scalar < 0x10000 {
      return bits[set * Self.wordsPerSet + Int(scalar >> 6)] >> UInt64(scalar & 63) & 1 != 0
    }
    return sets[set].contains(scalar)
  }
}
