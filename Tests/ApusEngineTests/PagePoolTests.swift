import ApusEngine
import TestSupport
import Testing

struct PagePoolTests {
  @Test func givesEveryPageOnceAndThenNone() {
    var pool = PagePool(pageCount: 5)
    #expect(Set((0..<5).compactMap { _ in pool.take() }) == [0, 1, 2, 3, 4])
    #expect(pool.take() == nil)
    #expect(pool.heldCount == 5 && pool.availableCount == 0)
  }

  @Test func thePageFreedLastIsTakenFirst() {
    var pool = PagePool(pageCount: 3)
    let pages = (0..<3).map { _ in pool.take()! }
    pool.release(pages[0], kept: false)
    pool.release(pages[1], kept: false)
    #expect(pool.take() == pages[1])
    #expect(pool.take() == pages[0])
  }

  @Test func aPageIsHeldUntilItsLastHolderLetsGo() {
    var pool = PagePool(pageCount: 1)
    let page = pool.take()!
    pool.hold(page)
    pool.hold(page)
    #expect(pool.holderCount(page) == 3)
    for left in [2, 1] {
      pool.release(page, kept: false)
      #expect(pool.holderCount(page) == left && pool.heldCount == 1 && pool.take() == nil)
    }
    pool.release(page, kept: false)
    #expect(pool.heldCount == 0 && pool.freeCount == 1)
  }

  @Test func takesFreePagesBeforeIdleOnesAndIdleOnesByTheirAge() {
    var pool = PagePool(pageCount: 4)
    let pages = (0..<4).map { _ in pool.take()! }
    for page in [pages[2], pages[0], pages[3]] { pool.release(page, kept: true) }
    pool.release(pages[1], kept: false)
    #expect(pool.idleCount == 3 && pool.freeCount == 1 && pool.availableCount == 4)
    #expect((0..<4).map { _ in pool.take() } == [pages[1], pages[2], pages[0], pages[3]])
  }

  @Test func anIdlePageThatIsHeldAgainIsTheNewestWhenItIsLetGo() {
    var pool = PagePool(pageCount: 3)
    let pages = (0..<3).map { _ in pool.take()! }
    for page in pages { pool.release(page, kept: true) }
    pool.hold(pages[0])
    #expect(pool.idleCount == 2 && pool.holderCount(pages[0]) == 1)
    pool.release(pages[0], kept: true)
    #expect((0..<3).map { _ in pool.take() } == [pages[1], pages[2], pages[0]])
  }

  /// The linked list against an array, over random histories.
  @Test(arguments: 0..<20)
  func agreesWithAPoolThatIsObviouslyRight(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var pool = PagePool(pageCount: 6)
    var held: [Int32: Int] = [:]
    var idle: [Int32] = []
    for _ in 0..<2_000 {
      switch random.nextInt(0...2) {
      case 0:
        let page = pool.take()
        guard held.count < 6 else {
          #expect(page == nil)
          break
        }
        let hasFree = held.count + idle.count < 6
        #expect(page != nil && held[page!] == nil && (hasFree ? !idle.contains(page!) : idle[0] == page))
        if !hasFree { idle.removeFirst() }
        held[page!] = 1
      case 1:
        guard let page = (held.keys.sorted() + idle).randomElement(using: &random) else { break }
        pool.hold(page)
        idle.removeAll { $0 == page }
        held[page, default: 0] += 1
      default:
        guard let page = held.keys.sorted().randomElement(using: &random) else { break }
        let isKept = random.nextInt(0...1) == 0
        pool.release(page, kept: isKept)
        held[page]! -= 1
        guard held[page] == 0 else { break }
        held[page] = nil
        if isKept { idle.append(page) }
      }
      #expect(pool.heldCount == held.count && pool.idleCount == idle.count)
      #expect(pool.availableCount == 6 - held.count)
      for page in 0..<6 as Range<Int32> { #expect(pool.holderCount(page) == held[page] ?? 0) }
    }
  }

  #if os(Linux) || os(macOS)
    @Test func aPageThatNobodyHoldsCannotBeReleased() async {
      await #expect(processExitsWith: .failure) {
        var pool = PagePool(pageCount: 2)
        let page = pool.take()!
        pool.release(page, kept: false)
        pool.release(page, kept: false)
      }
    }

    @Test func aFreePageCannotBeShared() async {
      await #expect(processExitsWith: .failure) {
        var pool = PagePool(pageCount: 2)
        pool.hold(0)
      }
    }
  #endif
}
