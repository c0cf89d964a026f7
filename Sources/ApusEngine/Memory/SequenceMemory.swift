/// The KV memory of all slots: a page table for each over one pool, growing as sequences grow, with full pages shared
/// between sequences that begin alike.
///
/// A page with several holders is full and is never written again. A sequence's newest, partly filled page is its
/// own; a fork copies it. Every change is noted in the step's plan, which the model follows. A value; allocates
/// nothing after it is made.
package struct SequenceMemory: Sendable {
  package let pageSize: Int
  package let slotCount: Int
  package let pagesPerSlot: Int
  private var pool: PagePool
  private var cache: PrefixCache?
  /// Page numbers, `[slotCount, pagesPerSlot]`.
  private var table: [Int32]
  private var held: [Int]
  /// Of each slot: full pages whose content the cache was told, and the chain they are.
  private var known: [Int]
  private var chain: [PrefixCache.Node]

  /// - Parameter cachesPrefixes: keep full pages for sequences that begin alike.
  package init(pageCount: Int, pageSize: Int, slotCount: Int, contextLength: Int, cachesPrefixes: Bool) {
    precondition(slotCount > 0 && pageSize > 0 && contextLength > 0)
    self.pageSize = pageSize
    self.slotCount = slotCount
    pagesPerSlot = (contextLength + pageSize - 1) / pageSize
    pool = PagePool(pageCount: pageCount)
    cache = cachesPrefixes ? PrefixCache(pageCount: pageCount, pageSize: pageSize) : nil
    table = Array(repeating: -1, count: slotCount * pagesPerSlot)
    held = Array(repeating: 0, count: slotCount)
    known = held
    chain = Array(repeating: PrefixCache.root, count: slotCount)
  }

  package var pageCount: Int { pool.pageCount }
  /// Pages that sequences could take.
  package var availableCount: Int { pool.availableCount }
  package var heldCount: Int { pool.heldCount }
  /// Pages that nobody holds and the cache keeps.
  package var idleCount: Int { pool.idleCount }
  package var cachedCount: Int { cache?.count ?? 0 }

  /// Pages that so many positions take.
  package func pages(for positions: Int) -> Int { (positions + pageSize - 1) / pageSize }

  /// Pages of `slot`, in order of position.
  package func pages(of slot: Int) -> ArraySlice<Int32> {
    table[slot * pagesPerSlot..<slot * pagesPerSlot + held[slot]]
  }

  package func holderCount(_ page: Int32) -> Int { pool.holderCount(page) }

  /// Positions that `slot` could hold if nobody else took a page.
  package func reach(_ slot: Int) -> Int { (held[slot] + pool.availableCount) * pageSize }

  /// Makes room for `positions` positions in `slot`. False: there are not enough pages, and nothing changed.
  package mutating func grow(_ slot: Int, to positions: Int, into plan: inout StepPlan) -> Bool {
    let wanted = pages(for: positions)
    precondition(wanted <= pagesPerSlot, "\(positions) positions in a slot of \(pagesPerSlot) pages")
    guard wanted - held[slot] <= pool.availableCount else { return false }
    while held[slot] < wanted { append(take(), to: slot, &plan) }
    return true
  }

  /// Available pages that a sequence of these tokens takes: all it needs but those in the cache that others hold.
  package func pagesToTake(for tokens: [Int32]) -> Int {
    pages(for: tokens.count) - cached(tokens, limit: tokens.count - 1).heldPages
  }

  /// The first positions of these tokens, up to `limit`, whose pages are in the cache; how many of these pages
  /// sequences hold.
  package func cached(_ tokens: [Int32], limit: Int) -> (positions: Int, heldPages: Int) {
    guard let cache else { return (0, 0) }
    var chain = PrefixCache.root
    var (count, held) = (0, 0)
    while count + pageSize <= limit,
      let page = cache.page(after: chain, holding: tokens[count..<count + pageSize])
    {
      chain = cache.chain(endingWith: page)
      if pool.holderCount(page) > 0 { held += 1 }
      count += pageSize
    }
    return (count, held)
  }

  /// Gives `slot`, whose `computed` positions are full pages, the pages that continue them in the cache, up to `limit`
  /// positions. Returns the positions it gained.
  package mutating func attachCached(
    _ slot: Int, tokens: [Int32], computed: Int, limit: Int, into plan: inout StepPlan
  ) -> Int {
    guard cache != nil, computed % pageSize == 0, computed / pageSize == held[slot] else { return 0 }
    register(slot, tokens: tokens, computed: computed)
    var count = computed
    while count + pageSize <= limit,
      let page = cache!.page(after: chain[slot], holding: tokens[count..<count + pageSize])
    {
      pool.hold(page)
      append(page, to: slot, &plan)
      known[slot] += 1
      chain[slot] = cache!.chain(endingWith: page)
      count += pageSize
    }
    return count - computed
  }

  /// Gives `slot`, which holds nothing, the first `positions` positions of `source`: full pages are shared, a part of
  /// a page is copied. False: there is no page for the copy, and nothing changed.
  package mutating func fork(_ source: Int, to slot: Int, positions: Int, into plan: inout StepPlan) -> Bool {
    precondition(held[slot] == 0 && pages(for: positions) <= held[source], "not a fork")
    let shared = positions / pageSize
    let copies = positions % pageSize > 0
    guard !copies || pool.availableCount > 0 else { return false }
    for index in 0..<shared {
      let page = table[source * pagesPerSlot + index]
      pool.hold(page)
      append(page, to: slot, &plan)
    }
    if copies {
      let page = take()
      append(page, to: slot, &plan)
      plan.append(PageCopy(source: table[source * pagesPerSlot + shared], target: page))
    }
    return true
  }

  /// Tells the cache of the full pages of `slot`, which holds `tokens[..<computed]` once the planned step has run.
  package mutating func register(_ slot: Int, tokens: [Int32], computed: Int) {
    guard cache != nil else { return }
    while (known[slot] + 1) * pageSize <= computed {
      let first = known[slot] * pageSize
      let content = tokens[first..<first + pageSize]
      let page = table[slot * pagesPerSlot + known[slot]]
      if let other = cache!.page(after: chain[slot], holding: content) {
        chain[slot] = cache!.chain(endingWith: other)
      } else if cache!.contains(page) {
        // Shared by a fork from a sequence whose chain was forgotten: it stays under its old name.
        chain[slot] = cache!.chain(endingWith: page)
      } else {
        chain[slot] = cache!.insert(page, after: chain[slot], holding: content)
      }
      known[slot] += 1
    }
  }

  /// Lets go of all pages of `slot`, the last first, so that the beginnings of texts outlive their ends in the cache.
  package mutating func release(_ slot: Int) {
    for entry in (slot * pagesPerSlot..<slot * pagesPerSlot + held[slot]).reversed() {
      pool.release(table[entry], kept: cache?.contains(table[entry]) ?? false)
      table[entry] = -1
    }
    held[slot] = 0
    known[slot] = 0
    chain[slot] = PrefixCache.root
  }

  private mutating func take() -> Int32 {
    guard let page = pool.take() else { preconditionFailure("every page is held") }
    cache?.remove(page)
    return page
  }

  private mutating func append(_ page: Int32, to slot: Int, _ plan: inout StepPlan) {
    table[slot * pagesPerSlot + held[slot]] = page
    plan.append(PageAssignment(slot: slot, index: held[slot], page: page))
    held[slot] += 1
  }
}
