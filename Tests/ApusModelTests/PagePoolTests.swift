import ApusModel
import Testing

@Suite struct PagePoolTests {
  private let empty = PagePool(pageCount: 5, slotCount: 3, pageSize: 4, contextLength: 12)

  @Test func givesPagesAsPositionsAreReserved() throws {
    var pool = empty
    try pool.reserve(slot: 0, positions: 1)
    #expect(pool.pages(of: 0).count == 1)
    try pool.reserve(slot: 0, positions: 4)
    #expect(pool.pages(of: 0).count == 1)
    try pool.reserve(slot: 0, positions: 5)
    #expect(pool.pages(of: 0).count == 2)
    #expect(pool.freePageCount == 3)
  }

  @Test func keepsWhatASlotHasWhenItGrows() throws {
    var pool = empty
    try pool.reserve(slot: 1, positions: 4)
    let first = pool.pages(of: 1).first
    try pool.reserve(slot: 1, positions: 12)
    #expect(pool.pages(of: 1).first == first)
  }

  @Test func neverGivesAPageToTwoSlots() throws {
    var pool = empty
    try pool.reserve(slot: 0, positions: 8)
    try pool.reserve(slot: 1, positions: 12)
    let held = Array(pool.pages(of: 0)) + Array(pool.pages(of: 1))
    #expect(Set(held).count == held.count)
    #expect(held.allSatisfy { (0..<5).contains($0) })
  }

  @Test func refusesWhatItHasNotAndChangesNothing() throws {
    var pool = empty
    try pool.reserve(slot: 0, positions: 12)
    let before = pool
    #expect(throws: KVCacheError.outOfPages(slot: 1, needed: 3, free: 2)) {
      try pool.reserve(slot: 1, positions: 12)
    }
    #expect(throws: KVCacheError.beyondContext(slot: 0, positions: 13, contextLength: 12)) {
      try pool.reserve(slot: 0, positions: 13)
    }
    #expect(pool == before)
  }

  @Test func takesEveryPageBackOnRelease() throws {
    var pool = empty
    try pool.reserve(slot: 2, positions: 12)
    pool.release(slot: 2)
    #expect(pool.freePageCount == 5)
    #expect(pool.pages(of: 2).isEmpty)
    pool.release(slot: 2)
    #expect(pool.freePageCount == 5)
    try pool.reserve(slot: 0, positions: 12)
    #expect(Set(pool.pages(of: 0)).count == 3)
  }
}
