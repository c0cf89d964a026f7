import ApusEngine
import Testing

struct SlotAllocatorTests {
  @Test func givesTheLowestFreeSlot() throws {
    var slots = SlotAllocator(slotCount: 4)
    #expect((0..<4).map { _ in slots.allocate() } == [0, 1, 2, 3])
    try slots.free(2)
    try slots.free(1)
    #expect(slots.allocate() == 1)
    #expect(slots.allocate() == 2)
  }

  @Test func givesNilWhenAllAreTaken() {
    var slots = SlotAllocator(slotCount: 1)
    #expect(slots.allocate() == 0)
    #expect(slots.allocate() == nil)
    #expect(slots.freeCount == 0)
  }

  @Test func refusesToFreeASlotTwice() throws {
    var slots = SlotAllocator(slotCount: 2)
    _ = slots.allocate()
    try slots.free(0)
    #expect(throws: SlotError.alreadyFree(0)) { try slots.free(0) }
    #expect(throws: SlotError.alreadyFree(1)) { try slots.free(1) }
    #expect(slots.freeCount == 2)
  }

  @Test func refusesToFreeASlotThatDoesNotExist() {
    var slots = SlotAllocator(slotCount: 2)
    #expect(throws: SlotError.noSuchSlot(2, slotCount: 2)) { try slots.free(2) }
    #expect(throws: SlotError.noSuchSlot(-1, slotCount: 2)) { try slots.free(-1) }
  }
}
