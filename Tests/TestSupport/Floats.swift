extension SplitMix64 {
  /// A multiple of 2^-23 in -1..<1, times `magnitude`.
  public mutating func nextFloat(magnitude: Float = 1) -> Float {
    Float(Int32(truncatingIfNeeded: next() >> 40) - (1 << 23)) * (magnitude / Float(1 << 23))
  }

  public mutating func nextFloats(_ count: Int, magnitude: Float = 1) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { floats, filled in
      // A loop that is quick without optimization: tests make tens of millions of these.
      while filled < count {
        (floats.baseAddress! + filled).initialize(to: nextFloat(magnitude: magnitude))
        filled += 1
      }
    }
  }

  /// An integer of `range`.
  public mutating func nextInt(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  public mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[nextInt(0...choices.count - 1)]
  }
}

/// 2^-23, the unit in which contracts give their bounds.
public let floatEpsilon = 0x1p-23

/// The worst element of `actual` that is not within `bound` of `expected`, in words; nil when all are. NaN
/// never is.
public func mismatch(_ actual: [Float], _ expected: [Float], within bound: (Int) -> Double) -> String? {
  guard actual.count == expected.count else { return "\(actual.count) elements, expected \(expected.count)" }
  var worst: (ratio: Double, index: Int)?
  for index in actual.indices {
    let difference = abs(Double(actual[index]) - Double(expected[index]))
    guard !(difference <= bound(index)) else { continue }
    let ratio = difference.isNaN ? Double.infinity : difference / bound(index)
    if worst == nil || ratio > worst!.ratio { worst = (ratio, index) }
  }
  return worst.map {
    "element \($0.index): \(actual[$0.index]), expected \(expected[$0.index]) within \(bound($0.index))"
  }
}

/// The first element whose bits differ, in words; nil when none does.
public func bitMismatch(_ actual: [Float], _ expected: [Float]) -> String? {
  guard actual.count == expected.count else { return "\(actual.count) elements, expected \(expected.count)" }
  for index in actual.indices where actual[index].bitPattern != expected[index].bitPattern {
    return "element \(index): \(actual[index]), expected the bits of \(expected[index])"
  }
  return nil
}
