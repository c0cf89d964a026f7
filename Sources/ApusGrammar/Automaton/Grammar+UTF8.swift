/// Scalars as the bytes of their UTF-8.
extension Grammar {
  /// Reads one scalar of `scalars`.
  mutating func addScalars(_ scalars: ScalarRanges, from source: Int32, to target: Int32) throws(GrammarError)
  {
    var tails = ScalarTails(target: target)
    for range in scalars.ranges {
      for sequence in UTF8Ranges.sequences(of: range) {
        let next = try tails.state(before: sequence.dropFirst(), &self)
        addEdge(sequence[0], from: source, to: next)
      }
    }
  }
}

/// Endings of characters that several ranges share.
private struct ScalarTails {
  let target: Int32
  private var states: [[ClosedRange<UInt8>]: Int32] = [:]

  init(target: Int32) { self.target = target }

  mutating func state(
    before tail: ArraySlice<ClosedRange<UInt8>>, _ grammar: inout Grammar
  ) throws(GrammarError) -> Int32 {
    guard let first = tail.first else { return target }
    let key = Array(tail)
    if let known = states[key] { return known }
    let next = try state(before: tail.dropFirst(), &grammar)
    let state = try grammar.addState()
    grammar.addEdge(first, from: state, to: next)
    states[key] = state
    return state
  }
}

enum UTF8Ranges {
  /// Products of byte ranges that together spell the scalars of `range`, which holds no surrogates.
  static func sequences(of range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var result: [[ClosedRange<UInt8>]] = []
    let lengths: [ClosedRange<UInt32>] = [0...0x7F, 0x80...0x7FF, 0x800...0xFFFF, 0x10000...0x10FFFF]
    for (index, limits) in lengths.enumerated() where range.overlaps(limits) {
      split(range.clamped(to: limits), continuations: index, into: &result)
    }
    return result
  }

  private static func split(
    _ range: ClosedRange<UInt32>, continuations: Int, into result: inout [[ClosedRange<UInt8>]]
  ) {
    // Cut where the lower bytes would not run over all their values.
    for level in stride(from: continuations, through: 1, by: -1) {
      let mask: UInt32 = (1 << UInt32(6 * level)) - 1
      let (low, high) = (range.lowerBound, range.upperBound)
      guard low & ~mask != high & ~mask else { continue }
      if low & mask != 0 {
        split(low...(low | mask), continuations: continuations, into: &result)
        split(((low | mask) + 1)...high, continuations: continuations, into: &result)
        return
      }
      if high & mask != mask {
        split(low...((high & ~mask) - 1), continuations: continuations, into: &result)
        split((high & ~mask)...high, continuations: continuations, into: &result)
        return
      }
    }
    let low = bytes(range.lowerBound, continuations)
    let high = bytes(range.upperBound, continuations)
    result.append(zip(low, high).map { $0...$1 })
  }

  private static func bytes(_ scalar: UInt32, _ continuations: Int) -> [UInt8] {
    guard continuations > 0 else { return [UInt8(scalar)] }
    let lead: UInt32 = [0, 0xC0, 0xE0, 0xF0][continuations]
    var result = [UInt8(lead | scalar >> UInt32(6 * continuations))]
    for level in stride(from: continuations - 1, through: 0, by: -1) {
      result.append(UInt8(0x80 | scalar >> UInt32(6 * level) & 0x3F))
    }
    return result
  }
}
