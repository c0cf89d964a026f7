import ApusEngine
import Testing

struct SequenceMemoryTests {
  private var plan = StepPlan()
  private let text = (0..<24).map { Int32($0) }

  private func memory(pages: Int, slots: Int = 4, caches: Bool = true) -> SequenceMemory {
    SequenceMemory(
      pageCount: pages, pageSize: 4, slotCount: slots, contextLength: 32, cachesPrefixes: caches)
  }

  /// A memory in whose slot 0 `count` positions of `text` were computed.
  private mutating func filled(_ count: Int, pages: Int, caches: Bool = true) -> SequenceMemory {
    var memory = memory(pages: pages, caches: caches)
    #expect(memory.grow(0, to: count, into: &plan))
    memory.register(0, tokens: text, computed: count)
    plan.removeAll()
    return memory
  }

  @Test mutating func growsByPagesAndTellsTheModel() {
    var memory = memory(pages: 4)
    #expect(memory.grow(1, to: 1, into: &plan) && memory.grow(1, to: 4, into: &plan))
    #expect(plan.pageAssignments.map(\.index) == [0] && memory.heldCount == 1)
    #expect(memory.grow(1, to: 9, into: &plan))
    #expect(plan.pageAssignments.map(\.index) == [0, 1, 2])
    #expect(plan.pageAssignments.allSatisfy { $0.slot == 1 })
    #expect(plan.pageAssignments.map(\.page) == Array(memory.pages(of: 1)))
    #expect(memory.reach(1) == 16 && memory.reach(0) == 4)
  }

  /// Not half of the pages and then none: what was there is there.
  @Test mutating func aGrowthThatFailsTakesNoPage() {
    var memory = memory(pages: 3)
    #expect(memory.grow(0, to: 5, into: &plan))
    plan.removeAll()
    #expect(!memory.grow(1, to: 6, into: &plan))
    #expect(memory.heldCount == 2 && memory.pages(of: 1).isEmpty && plan == StepPlan())
    #expect(!memory.grow(0, to: 13, into: &plan))
    #expect(memory.pages(of: 0).count == 2 && plan == StepPlan())
    #expect(memory.grow(1, to: 4, into: &plan))
  }

  @Test mutating func aSequenceFindsTheFullPagesOfAnotherThatBeginsAlike() {
    var memory = filled(10, pages: 8)
    #expect(memory.cachedCount == 2)
    let other = Array(text.prefix(6)) + [99, 98, 97]
    #expect(memory.cached(other, limit: 8).positions == 4)
    #expect(memory.attachCached(1, tokens: other, computed: 0, limit: 8, into: &plan) == 4)
    #expect(memory.pages(of: 1) == memory.pages(of: 0).prefix(1))
    #expect(memory.holderCount(memory.pages(of: 1).first!) == 2 && memory.heldCount == 3)
    #expect(plan.pageAssignments == [PageAssignment(slot: 1, index: 0, page: memory.pages(of: 0).first!)])
    #expect(plan.pageCopies.isEmpty)
  }

  @Test mutating func attachesNoMoreThanTheLimit() {
    var memory = filled(16, pages: 8)
    #expect(memory.attachCached(1, tokens: text, computed: 0, limit: 15, into: &plan) == 12)
    #expect(memory.attachCached(2, tokens: text, computed: 0, limit: 3, into: &plan) == 0)
    // From a boundary of pages only.
    #expect(memory.grow(2, to: 2, into: &plan))
    #expect(memory.attachCached(2, tokens: text, computed: 2, limit: 15, into: &plan) == 0)
  }

  @Test mutating func attachesWhatContinuesItsOwnPages() {
    var memory = filled(12, pages: 8)
    #expect(memory.grow(1, to: 4, into: &plan))
    #expect(memory.attachCached(1, tokens: text, computed: 4, limit: 20, into: &plan) == 8)
    #expect(memory.pages(of: 1).dropFirst() == memory.pages(of: 0).dropFirst())
    #expect(memory.pages(of: 1).first != memory.pages(of: 0).first)
  }

  @Test mutating func withoutACacheNothingIsFoundAndNothingKept() {
    var memory = filled(12, pages: 8, caches: false)
    #expect(memory.attachCached(1, tokens: text, computed: 0, limit: 12, into: &plan) == 0)
    #expect(memory.pagesToTake(for: text) == 6)
    memory.release(0)
    #expect(memory.idleCount == 0 && memory.heldCount == 0 && memory.cachedCount == 0)
  }

  @Test mutating func pagesOfWhoIsGoneAreFoundUntilOthersNeedThem() {
    var memory = filled(12, pages: 4)
    memory.release(0)
    #expect(memory.heldCount == 0 && memory.idleCount == 3 && memory.availableCount == 4)
    #expect(memory.pagesToTake(for: text) == 6)  // idle pages count as taken
    #expect(memory.attachCached(1, tokens: text, computed: 0, limit: 12, into: &plan) == 12)
    #expect(memory.idleCount == 0 && memory.heldCount == 3)
    #expect(memory.pagesToTake(for: text) == 3)
  }

  /// The end of a text is forgotten before its beginning, and the text used longest ago before others.
  @Test mutating func forgetsTheLeastRecentlyUsedAndEndsBeforeBeginnings() {
    var memory = memory(pages: 6)
    let (old, new) = (text, text.map { $0 + 100 })
    for (slot, tokens) in [old, new].enumerated() {
      #expect(memory.grow(slot, to: 12, into: &plan))
      memory.register(slot, tokens: tokens, computed: 12)
    }
    memory.release(0)
    memory.release(1)
    func found(_ memory: SequenceMemory) -> [Int] {
      [memory.cached(old, limit: 20).positions, memory.cached(new, limit: 20).positions]
    }
    #expect(found(memory) == [12, 12])
    for (positions, left) in zip([4, 8, 12, 16, 20], [[8, 12], [4, 12], [0, 12], [0, 8], [0, 4]]) {
      #expect(memory.grow(2, to: positions, into: &plan))
      #expect(found(memory) == left)
    }
  }

  @Test mutating func whatWasUsedAgainIsForgottenLater() {
    var memory = memory(pages: 2)
    let (first, second) = (text, text.map { $0 + 100 })
    for (slot, tokens) in [first, second].enumerated() {
      #expect(memory.grow(slot, to: 4, into: &plan))
      memory.register(slot, tokens: tokens, computed: 4)
      memory.release(slot)
    }
    #expect(memory.attachCached(2, tokens: first, computed: 0, limit: 20, into: &plan) == 4)
    memory.release(2)
    #expect(memory.grow(3, to: 1, into: &plan))
    #expect(memory.cached(first, limit: 20).positions == 4 && memory.cached(second, limit: 20).positions == 0)
  }

  @Test mutating func aForkSharesFullPagesAndCopiesTheRest() {
    var memory = filled(10, pages: 8)
    #expect(memory.fork(0, to: 1, positions: 10, into: &plan))
    let (origin, fork) = (Array(memory.pages(of: 0)), Array(memory.pages(of: 1)))
    #expect(fork.prefix(2) == origin.prefix(2) && fork[2] != origin[2])
    #expect(plan.pageCopies == [PageCopy(source: origin[2], target: fork[2])])
    #expect(fork.map(memory.holderCount) == [2, 2, 1] && memory.heldCount == 4)
    // Whichever goes first, the other keeps what it shares.
    memory.release(0)
    #expect(fork.map(memory.holderCount) == [1, 1, 1] && memory.heldCount == 3)
    memory.release(1)
    #expect(memory.heldCount == 0)
  }

  @Test mutating func aForkAtABoundaryOfPagesCopiesNothing() {
    var memory = filled(12, pages: 3)
    #expect(memory.fork(0, to: 1, positions: 8, into: &plan))
    #expect(plan.pageCopies.isEmpty && memory.heldCount == 3)
  }

  @Test mutating func aForkWithoutAPageForItsCopyChangesNothing() {
    var memory = filled(10, pages: 3)
    #expect(!memory.fork(0, to: 1, positions: 10, into: &plan))
    #expect(memory.pages(of: 1).isEmpty && plan == StepPlan() && memory.heldCount == 3)
    #expect(memory.pages(of: 0).map(memory.holderCount) == [1, 1, 1])
  }

  @Test mutating func twoThatComputedTheSameTextKeepItOnce() {
    var memory = filled(8, pages: 8)
    #expect(memory.grow(1, to: 8, into: &plan))
    memory.register(1, tokens: text, computed: 8)
    #expect(memory.cachedCount == 2)
    memory.release(1)
    #expect(memory.idleCount == 0 && memory.heldCount == 2)
    memory.release(0)
    #expect(memory.idleCount == 2)
  }

  /// The page a fork shares may carry the name it got in a chain that was forgotten since.
  @Test mutating func aSharedPageWhoseChainWasForgottenIsNotCachedTwice() {
    var memory = memory(pages: 6, slots: 4)
    #expect(memory.grow(0, to: 4, into: &plan))
    memory.register(0, tokens: text, computed: 4)
    // Slot 1 computes the first page itself, and goes on: its chain is by slot 0's page.
    #expect(memory.grow(1, to: 8, into: &plan))
    memory.register(1, tokens: text, computed: 8)
    memory.release(0)
    // Others need slot 0's page: the chain's beginning is forgotten.
    #expect(memory.grow(2, to: 16, into: &plan))
    #expect(memory.cached(text, limit: 20).positions == 0 && memory.cachedCount == 1)
    memory.release(2)
    #expect(memory.fork(1, to: 3, positions: 8, into: &plan))
    memory.register(3, tokens: text, computed: 8)
    #expect(memory.cachedCount == 2 && memory.cached(text, limit: 20).positions == 4)
    for slot in [1, 3] { memory.release(slot) }
    #expect(memory.heldCount == 0)
  }

  @Test mutating func tellsWhatOthersAlreadyHold() {
    var memory = filled(8, pages: 8)
    #expect(memory.pagesToTake(for: Array(text.prefix(9))) == 1)
    // Its last token must be computed, so the page that ends with it is its own.
    #expect(memory.pagesToTake(for: Array(text.prefix(8))) == 1)
    memory.release(0)
    #expect(memory.pagesToTake(for: Array(text.prefix(9))) == 3)
  }
}
