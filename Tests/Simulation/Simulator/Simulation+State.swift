import ApusEngine

/// What the scheduler holds between steps, against the account that is kept here.
extension Simulation {
  func checkState() throws(Violation) {
    try checkRequests()
    try checkMemory()
    try checkFairness()
  }

  private func checkRequests() throws(Violation) {
    let waiting = self.waiting
    try check(
      scheduler.waitingCount == waiting.count, "\(scheduler.waitingCount) wait, expected \(waiting.count)")
    let tokens = waiting.reduce(0) { $0 + $1.known }
    try check(
      scheduler.waitingTokenCount == tokens, "\(scheduler.waitingTokenCount) tokens wait, expected \(tokens)")
    for (index, request) in waiting.enumerated() {
      let found = scheduler.waitingRequest(at: index)
      try check(found.id == request.id, "\(found.id) waits in place \(index), expected \(request.id)")
      try check(
        found.tokens.elementsEqual(request.tokens), "\(request.id) waits with other tokens than it has")
    }
    try check(
      scheduler.runningCount == rank.count && scheduler.freeSlotCount == settings.slots - rank.count,
      "\(scheduler.runningCount) run and \(scheduler.freeSlotCount) slots are free, \(rank.count) run")
    try check(scheduler.slotsByRank == rank, "slots by rank are \(scheduler.slotsByRank), expected \(rank)")
    try check(scheduler.isIdle == live.isEmpty, "idle: \(scheduler.isIdle), \(live.count) are there")
    for (slot, holder) in holders.enumerated() {
      let found = scheduler.request(inSlot: slot)
      let expected = holder.map { requests[$0] }
      try check(found?.id == expected?.id, "slot \(slot) has \(found.map { "\($0.id)" } ?? "nobody")")
      guard let found, let expected else { continue }
      try check(
        found.computed == expected.computed,
        "\(found.id) has computed \(found.computed), \(expected.computed) ran")
      try check(found.tokens.elementsEqual(expected.tokens), "\(found.id) has other tokens than it got")
      try check(
        expected.known < expected.sequence.count || expected.fails, "\(found.id) goes on after its end")
      let mayLack =
        expected.arrival.scores == 0 || expected.generated == expected.sharedCount - expected.promptCount
      try check(
        mayLack || expected.scored >= expected.promptCount, "\(found.id) decodes before its prompt was scored"
      )
    }
  }

  private func checkMemory() throws(Violation) {
    let memory = scheduler.memory
    for (slot, table) in pages.tables.enumerated() {
      let found = memory.pages(of: slot)
      try check(found.elementsEqual(table), "slot \(slot) holds pages \(Array(found)), expected \(table)")
      guard let holder = holders[slot] else {
        try check(table.isEmpty, "slot \(slot) is free and holds \(table)")
        continue
      }
      let request = requests[holder]
      try check(table.count == pageCount(for: request.reach), "\(request.id) holds \(table.count) pages")
      try pages.check(slot: slot, hold: request.contents[..<request.computed])
      for (index, page) in table.enumerated() where pages.holders[Int(page)] > 1 {
        try check(
          request.computed >= (index + 1) * settings.pageSize,
          "page \(page) is shared, and not full in \(request.id)")
      }
    }
    for (page, count) in pages.holders.enumerated() {
      let found = memory.holderCount(Int32(page))
      try check(found == count, "page \(page) is held \(found) times, expected \(count)")
    }
    let held = pages.heldCount
    try check(memory.heldCount == held, "\(memory.heldCount) pages are held, expected \(held)")
    try check(
      memory.availableCount == settings.pages - held,
      "\(memory.availableCount) of \(settings.pages) pages are left")
    try check(
      memory.idleCount <= memory.cachedCount && memory.cachedCount <= memory.idleCount + held,
      "\(memory.idleCount) idle pages of \(memory.cachedCount) that are cached, \(held) are held")
    try check(settings.caching == 1 || memory.cachedCount == 0, "\(memory.cachedCount) pages are cached")
  }

  /// Tenants with requests waiting were served alike.
  private func checkFairness() throws(Violation) {
    guard policy.order == .fair else { return }
    let served = waitingTenants.map { policy.counters[$0] ?? 0 }
    guard let most = served.max(), let least = served.min() else { return }
    let bound = ReferencePolicy.differenceMax(slots: settings.slots, requests: requests)
    try check(
      most - least <= bound, "tenants that wait were served \(least) and \(most), \(bound) apart at most")
  }

  /// Everything is given back, and nothing more is done about those that were there.
  mutating func checkEnd() throws(Violation) {
    try check(live.isEmpty, "\(live.map { requests[$0].id }) did not end")
    try check(scheduler.isIdle && scheduler.freeSlotCount == settings.slots, "slots are not given back")
    try check(scheduler.memory.availableCount == settings.pages, "pages are not given back")
    events.removeAll()
    for request in requests { scheduler.cancel(request.id, events: &events) }
    try check(events.isEmpty, "\(events) after everything ended")
  }
}
