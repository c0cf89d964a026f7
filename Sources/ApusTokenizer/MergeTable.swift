/// Which pairs of tokens merge, in what order, and to what.
struct MergeTable: Sendable {
  struct Merge: Sendable {
    /// Lower ranks merge first.
    var rank: UInt32
    var token: Int32
  }

  private struct Slot {
    var pair: UInt64
    var merge: Merge
  }

  private static let free = UInt64.max
  private var slots: [Slot]

  init(count: Int) {
    var capacity = 16
    while capacity < count * 2 { capacity *= 2 }
    slots = Array(repeating: Slot(pair: Self.free, merge: Merge(rank: 0, token: 0)), count: capacity)
  }

  @inline(__always)
  private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private func slot(of pair: UInt64) -> Int {
    let mask = slots.count - 1
    let hash = pair &* 0x9E37_79B9_7F4A_7C15
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    while slots[slot].pair != pair, slots[slot].pair != Self.free { slot = (slot + 1) & mask }
    return slot
  }

  /// Sets the merge of a pair. A pair given twice keeps what was given last.
  mutating func set(_ left: Int32, _ right: Int32, _ merge: Merge) {
    let pair = Self.pair(left, right)
    slots[slot(of: pair)] = Slot(pair: pair, merge: merge)
  }

  @inline(__always)
  subscript(left: Int32, right: Int32) -> Merge? {
    let pair = Self.pair(left, right)
    let found = slots[slot(of: pair)]
    return found.pair == pair ? found.merge : nil
  }
}
