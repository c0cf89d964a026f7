/// A set of Unicode scalars as ascending ranges that neither overlap nor touch; never a surrogate.
struct ScalarRanges: Sendable, Hashable {
  private(set) var ranges: [ClosedRange<UInt32>]

  static let all = ScalarRanges([0...0x10FFFF])

  /// Surrogates are left out.
  init(_ ranges: [ClosedRange<UInt32>]) {
    self.ranges = []
    let halves = ranges.flatMap { range -> [ClosedRange<UInt32>] in
      var halves: [ClosedRange<UInt32>] = []
      if range.lowerBound < 0xD800 { halves.append(range.lowerBound...min(range.upperBound, 0xD7FF)) }
      if range.upperBound > 0xDFFF { halves.append(max(range.lowerBound, 0xE000)...range.upperBound) }
      return halves
    }
    for range in halves.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
        self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  init(_ scalar: UInt32) { self.init([scalar...scalar]) }

  var isEmpty: Bool { ranges.isEmpty }

  var complement: ScalarRanges {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return ScalarRanges(result)
  }

  func union(_ other: ScalarRanges) -> ScalarRanges { ScalarRanges(ranges + other.ranges) }

  func intersection(_ other: ScalarRanges) -> ScalarRanges {
    complement.union(other.complement).complement
  }

  func subtracting(_ other: ScalarRanges) -> ScalarRanges { intersection(other.complement) }

  func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }
}
