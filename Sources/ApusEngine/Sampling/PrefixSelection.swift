/// Finds where a list ordered by value, largest first and equal ones by index, is to be cut, without
/// ordering it: a radix selection, one pass over the list for the first of four 8-bit digits and over one
/// bucket for each other.
struct PrefixSelection {
  /// Keeps the values whose key is above `key`, and the first `ties` of those whose key it is.
  struct Cut: Equatable {
    var key: UInt32
    var ties: Int

    static let keepsAll = Cut(key: 0, ties: .max)
  }

  private var mass = [Double](repeating: 0, count: 256)

  /// Orders as `<` does on numbers other than NaN: both zeros are equal.
  static func key(_ value: Float) -> UInt32 {
    let bits = (value + 0).bitPattern
    return bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
  }

  /// The value whose key this is.
  static func value(ofKey key: UInt32) -> Float {
    Float(bitPattern: key >> 31 == 1 ? key & 0x7FFF_FFFF : ~key)
  }

  /// The shortest prefix with `count` values.
  mutating func cut(
    _ values: UnsafeBufferPointer<Float>, count: Int, scratch: UnsafeMutableBufferPointer<Int32>
  ) -> Cut {
    count >= values.count ? .keepsAll : cut(values, weights: nil, mass: Double(count), scratch: scratch)
  }

  /// The shortest prefix whose weights sum to at least `mass`. Equal values must have equal weights.
  /// `scratch` is as long as `values`. Sums are of doubles, in the order of the list.
  mutating func cut(
    _ values: UnsafeBufferPointer<Float>, weights: UnsafeBufferPointer<Float>?, mass target: Double,
    scratch: UnsafeMutableBufferPointer<Int32>
  ) -> Cut {
    var remaining = target
    var prefix: UInt32 = 0
    var count = values.count
    for index in 0..<count { scratch[index] = Int32(truncatingIfNeeded: index) }
    for digit in 0..<4 as Range<UInt32> {
      let shift = 24 - 8 * digit
      addMasses(
        values, weights: weights, subset: UnsafeBufferPointer(rebasing: scratch[..<count]), shift: shift)
      guard let bucket = takeBuckets(&remaining) else { return .keepsAll }
      prefix = prefix << 8 | UInt32(bucket)
      var kept = 0
      for position in 0..<count {
        let index = scratch[position]
        guard Self.key(values[Int(index)]) >> shift == prefix else { continue }
        scratch[kept] = index
        kept += 1
      }
      count = kept
    }
    let weight = weights.map { Double($0[Int(scratch[0])]) } ?? 1
    return Cut(key: prefix, ties: min(count, max(1, Int((remaining / weight).rounded(.up)))))
  }

  private mutating func addMasses(
    _ values: UnsafeBufferPointer<Float>, weights: UnsafeBufferPointer<Float>?,
    subset: UnsafeBufferPointer<Int32>, shift: UInt32
  ) {
    mass.withUnsafeMutableBufferPointer { mass in
      mass.update(repeating: 0)
      for index in subset {
        let bucket = Int(Self.key(values[Int(index)]) >> shift & 0xFF)
        if let weights { mass[bucket] += Double(weights[Int(index)]) } else { mass[bucket] += 1 }
      }
    }
  }

  /// Takes whole buckets, largest first, off `remaining`; returns the one in which it is reached.
  private func takeBuckets(_ remaining: inout Double) -> Int? {
    for bucket in stride(from: 255, through: 0, by: -1) {
      if mass[bucket] > 0 && remaining <= mass[bucket] { return bucket }
      remaining -= mass[bucket]
    }
    return nil
  }
}
