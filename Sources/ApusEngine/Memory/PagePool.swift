/// The pages of a KV cache: who holds each, and which hold a prefix worth keeping although nobody does.
///
/// A page is **free**, **held** by one or more sequences, or **idle**: held by nobody, its content kept until
/// pages run out, the least recently used first. A value: moves numbers, touches no memory. Which page holds
/// what never shows in a result. Allocates nothing after it is made.
package struct PagePool: Sendable {
  package let pageCount: Int
  /// Sequences that hold each page.
  private var holders: [Int32]
  /// The page freed last is the first to be taken again: it may still be in a cache.
  private var free: [Int32]
  /// Idle pages, from least to most recently used, as a doubly linked list; -1 ends it.
  private var next: [Int32]
  private var previous: [Int32]
  private var isIdle: [Bool]
  private var oldest: Int32 = -1
  private var newest: Int32 = -1
  package private(set) var idleCount = 0

  package init(pageCount: Int) {
    precondition(pageCount > 0 && pageCount <= Int32.max, "\(pageCount) pages")
    self.pageCount = pageCount
    holders = Array(repeating: 0, count: pageCount)
    free = (0..<Int32(pageCount)).reversed()
    next = Array(repeating: -1, count: pageCount)
    previous = next
    isIdle = Array(repeating: false, count: pageCount)
  }

  package var freeCount: Int { free.count }
  /// Pages that `take` can give.
  package var availableCount: Int { free.count + idleCount }
  package var heldCount: Int { pageCount - availableCount }

  package func holderCount(_ page: Int32) -> Int { Int(holders[Int(page)]) }

  /// Gives a page to its first holder: a free one, or else the idle one that was not used for longest, whose
  /// content is lost. Nil: every page is held.
  package mutating func take() -> Int32? {
    if let page = free.popLast() {
      holders[Int(page)] = 1
      return page
    }
    guard oldest >= 0 else { return nil }
    let page = oldest
    removeFromIdle(page)
    holders[Int(page)] = 1
    return page
  }

  /// One more sequence holds `page`, which is held or idle.
  package mutating func hold(_ page: Int32) {
    if isIdle[Int(page)] {
      removeFromIdle(page)
    } else {
      precondition(holders[Int(page)] > 0, "page \(page) is free")
    }
    holders[Int(page)] += 1
  }

  /// One sequence lets go of `page`. With its last holder gone it is idle if its content is `kept`, else free.
  package mutating func release(_ page: Int32, kept: Bool) {
    precondition(holders[Int(page)] > 0, "page \(page) is released and held by nobody")
    holders[Int(page)] -= 1
    guard holders[Int(page)] == 0 else { return }
    if kept { appendToIdle(page) } else { free.append(page) }
  }

  private mutating func appendToIdle(_ page: Int32) {
    previous[Int(page)] = newest
    next[Int(page)] = -1
    if newest >= 0 { next[Int(newest)] = page } else { oldest = page }
    newest = page
    isIdle[Int(page)] = true
    idleCount += 1
  }

  private mutating func removeFromIdle(_ page: Int32) {
    let (before, after) = (previous[Int(page)], next[Int(page)])
    if before >= 0 { next[Int(before)] = after } else { oldest = after }
    if after >= 0 { previous[Int(after)] = before } else { newest = before }
    isIdle[Int(page)] = false
    idleCount -= 1
  }
}
