/// Which pages of the KV pool each slot holds. A value: moves numbers, touches no memory.
///
/// The page freed last is the first to be taken again: it may still be in a cache. A page belongs to one slot at
/// most. Which page holds what never shows in a result.
public struct PagePool: Sendable, Equatable {
  public let pageCount: Int
  public let slotCount: Int
  /// Positions in a page.
  public let pageSize: Int
  /// Pages one slot may hold.
  public let pagesPerSlot: Int
  /// Page numbers, `[slotCount, pagesPerSlot]`; entries beyond what a slot holds are -1.
  public private(set) var table: [Int32]
  private var held: [Int]
  private var free: [Int32]

  public init(pageCount: Int, slotCount: Int, pageSize: Int, contextLength: Int) {
    precondition(pageCount > 0 && slotCount > 0 && pageSize > 0 && contextLength > 0)
    self.pageCount = pageCount
    self.slotCount = slotCount
    self.pageSize = pageSize
    pagesPerSlot = (contextLength + pageSize - 1) / pageSize
    table = Array(repeating: -1, count: slotCount * pagesPerSlot)
    held = Array(repeating: 0, count: slotCount)
    free = (0..<Int32(pageCount)).reversed()
  }

  public var freePageCount: Int { free.count }

  /// Pages that `slot` holds, in order of position.
  public func pages(of slot: Int) -> ArraySlice<Int32> {
    table[slot * pagesPerSlot..<slot * pagesPerSlot + held[slot]]
  }

  /// Gives `slot` pages until it can hold `positions`. Keeps what it has.
  /// - Throws: `.beyondContext`, `.outOfPages`; nothing has changed then.
  public mutating func reserve(slot: Int, positions: Int) throws(KVCacheError) {
    precondition((0..<slotCount).contains(slot), "slot \(slot) of \(slotCount)")
    let wanted = (positions + pageSize - 1) / pageSize
    guard wanted <= pagesPerSlot else {
      throw .beyondContext(slot: slot, positions: positions, contextLength: pagesPerSlot * pageSize)
    }
    let needed = wanted - held[slot]
    guard needed > 0 else { return }
    guard needed <= free.count else { throw .outOfPages(slot: slot, needed: needed, free: free.count) }
    for _ in 0..<needed {
      table[slot * pagesPerSlot + held[slot]] = free.removeLast()
      held[slot] += 1
    }
  }

  /// Takes all pages of `slot` back.
  public mutating func release(slot: Int) {
    precondition((0..<slotCount).contains(slot), "slot \(slot) of \(slotCount)")
    for entry in (slot * pagesPerSlot..<slot * pagesPerSlot + held[slot]).reversed() {
      free.append(table[entry])
      table[entry] = -1
    }
    held[slot] = 0
  }
}
