/// Hands out the KV slots `0..<slotCount`, the lowest free one first, so that a small load stays on few
/// slots.
package struct SlotAllocator: Sendable, Equatable {
  package let slotCount: Int
  private var isTaken: [Bool]
  package private(set) var freeCount: Int

  package init(slotCount: Int) {
    precondition(slotCount > 0, "an engine without slots")
    self.slotCount = slotCount
    isTaken = Array(repeating: false, count: slotCount)
    freeCount = slotCount
  }

  package var isAllFree: Bool { freeCount == slotCount }

  /// Takes the lowest free slot, or returns nil where none is.
  package mutating func allocate() -> Int? {
    guard let slot = isTaken.firstIndex(of: false) else { return nil }
    isTaken[slot] = true
    freeCount -= 1
    return slot
  }

  /// Gives `slot` back.
  /// - Throws: `SlotError`; nothing changed. To free a slot twice would hand it to two requests.
  package mutating func free(_ slot: Int) throws(SlotError) {
    guard isTaken.indices.contains(slot) else { throw .noSuchSlot(slot, slotCount: slotCount) }
    guard isTaken[slot] else { throw .alreadyFree(slot) }
    isTaken[slot] = false
    freeCount += 1
  }

  package func isFree(_ slot: Int) -> Bool { !isTaken[slot] }
}

package enum SlotError: Error, Sendable, Equatable {
  case noSuchSlot(Int, slotCount: Int)
  case alreadyFree(Int)
}
