import ApusEngine
import TestSupport
import Testing

/// Who loses its pages when there are none left, and that it comes back.
struct PreemptionTests {
  private func preemptions(_ events: [SchedulerEvent]) -> [[UInt64]] {
    events.compactMap {
      if case .preempted(let id, _, let other) = $0 { [id.rawValue, other.rawValue] } else { nil }
    }
  }

  /// Three requests that decode in slots of one page each, of a pool of `pages`, until one finds no page.
  private func untilOneIsPreempted(
    _ requests: [(prompt: Int, priority: Int)], pages: Int
  ) throws -> (driver: SchedulerDriver, preemptions: [[UInt64]]) {
    var driver = SchedulerDriver(slots: 4, prefillStep: 32, pages: pages)
    for (index, request) in requests.enumerated() {
      try driver.submit(
        UInt64(index + 1), prompt: request.prompt, maxTokens: 4 * pages - request.prompt,
        priority: request.priority)
    }
    for _ in 0..<100 {
      let found = preemptions(driver.step().events)
      if !found.isEmpty { return (driver, found) }
    }
    return (driver, [])
  }

  @Test func ofOneClassTheNewestLosesItsPages() throws {
    let (driver, found) = try untilOneIsPreempted([(2, 0), (2, 0), (2, 0)], pages: 7)
    #expect(found == [[3, 2]])
    #expect(driver.scheduler.waitingRequest(at: 0).id == id(3) && driver.scheduler.runningCount == 2)
  }

  @Test func theLowestPriorityLosesItsPagesBeforeNewerOnes() throws {
    let (_, found) = try untilOneIsPreempted([(2, 0), (2, 9), (2, 0)], pages: 7)
    #expect(found == [[2, 3]])
  }

  @Test func nobodyTakesPagesOfWhoRanksHigher() throws {
    // Request 2 is the first to need a page, and last in rank: it waits.
    var driver = SchedulerDriver(slots: 2, prefillStep: 32, pages: 3)
    try driver.submit(1, prompt: 1, maxTokens: 6, priority: 0)
    try driver.submit(2, prompt: 4, maxTokens: 6, priority: 5)
    driver.step()
    #expect(driver.scheduler.runningCount == 2)
    var waited = 0
    while !driver.scheduler.isIdle {
      let (_, events) = driver.step()
      for pair in preemptions(events) { #expect(pair == [2, 1]) }
      if driver.plan.waitingForPages == [id(2)] { waited += 1 }
    }
    #expect(waited > 0)
  }

  @Test func whoIsPreemptedKeepsItsTokensAndItsPlaceInTheQueue() throws {
    var (driver, _) = try untilOneIsPreempted([(2, 0), (2, 0), (2, 0)], pages: 7)
    try driver.submit(4, prompt: 1, maxTokens: 1)
    let request = driver.scheduler.waitingRequest(at: 0)
    #expect(request.id == id(3) && request.generatedCount > 0 && request.computed == 0)
    #expect(driver.scheduler.waitingRequest(at: 1).id == id(4))
    let generated = request.generatedCount
    var positions: [Int] = []
    var ended: [UInt64] = []
    while !driver.scheduler.isIdle {
      for event in driver.step().events {
        if case .token(id(3), _, _, let position, _) = event { positions.append(position) }
        if case .finished(let id, _, let reason) = event {
          ended.append(id.rawValue)
          #expect(reason == .length)
        }
      }
    }
    // Each position once, from where it was.
    #expect(positions == Array(2 + generated..<28))
    #expect(ended.sorted() == [1, 2, 3, 4])
  }

  @Test func pagesOfWhoIsPreemptedAreFoundAgainWhileNobodyNeededThem() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 32, pages: 6)
    // The first takes one of the second's four pages, which was not full, and then the last full one.
    try driver.submit(1, prompt: 4, maxTokens: 10)
    try driver.submit(2, prompt: 9, maxTokens: 10)
    var events: [SchedulerEvent] = []
    for _ in 0..<60 { events += driver.step().events }
    #expect(preemptions(events).contains([2, 1]))
    let reused = events.compactMap { if case .reused(id(2), let positions) = $0 { positions } else { nil } }
    #expect(reused == [8])
    #expect(driver.scheduler.isIdle && driver.scheduler.memory.heldCount == 0)
  }

  /// One request after another until there is a page: the newest first.
  @Test func takesThePagesOfAsManyAsItNeeds() throws {
    // Requests 2 and 3 hold one text's page together: to preempt 3 frees no page.
    var driver = SchedulerDriver(slots: 3, prefillStep: 32, pages: 5)
    driver.promptToken = { id, position in Int32(position) + (id == 1 ? 500 : 0) }
    try driver.submit(1, prompt: 3, maxTokens: 16)
    try driver.submit(2, prompt: 5, maxTokens: 3)
    try driver.submit(3, prompt: 5, maxTokens: 3)
    var found: [[UInt64]] = []
    while !driver.scheduler.isIdle { found += preemptions(driver.step().events) }
    #expect(driver.scheduler.memory.heldCount == 0)
    #expect(found.allSatisfy { $0[1] < $0[0] })
  }

  @Test(arguments: [
    [2, 5, 4, 14, 4], [2, 6, 1, 8, 9], [3, 8, 2, 1, 14], [4, 10, 8, 14, 9], [4, 12, 1, 4, 5],
  ])
  func aLowPriorityEndsThoughHigherOnesKeepComing(_ sizes: [Int]) throws {
    for policy in [FIFOPolicy(), PriorityPolicy(patience: 3)] as [any SchedulingPolicy] {
      var driver = SchedulerDriver(
        slots: sizes[0], prefillStep: sizes[2], pages: sizes[1], cachesPrefixes: false, policy: policy)
      let lowTokens = min(14, 4 * sizes[1] - sizes[3])
      try driver.submit(1, prompt: sizes[3], maxTokens: lowTokens, priority: 9)
      var (next, live, losses) = (2 as UInt64, 1, 0)
      var hasEnded = false
      for _ in 0..<2_000 where !hasEnded {
        while live <= sizes[0] {
          try driver.submit(next, prompt: 4, maxTokens: sizes[4], priority: 0)
          (next, live) = (next + 1, live + 1)
        }
        let events = driver.step().events
        losses += preemptions(events).count { $0[0] == 1 }
        for case .finished(let ended, _, _) in events {
          live -= 1
          hasEnded = hasEnded || ended == id(1)
        }
      }
      #expect(hasEnded && losses < lowTokens, "\(policy.name): it lost its pages \(losses) times")
    }
  }

  @Test func theFirstInRankMovesInEveryStep() throws {
    for seed in 0..<20 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      var driver = SchedulerDriver(slots: 4, prefillStep: 8, pages: 9, cachesPrefixes: seed % 2 == 0)
      for request in 1...12 as ClosedRange<UInt64> {
        try driver.submit(
          request, prompt: random.nextInt(1...16), maxTokens: random.nextInt(1...20),
          priority: random.nextInt(0...2))
      }
      var steps = 0
      while !driver.scheduler.isIdle {
        let runs = driver.step().runs
        #expect(!runs.isEmpty)
        steps += 1
        guard steps < 2_000 else {
          Issue.record("seed \(seed) does not end")
          break
        }
      }
      #expect(driver.scheduler.memory.heldCount == 0 && driver.scheduler.freeSlotCount == 4)
    }
  }

  @Test func aRequestThatFitsThePoolAloneEndsWhoeverElseRuns() throws {
    var driver = SchedulerDriver(slots: 4, prefillStep: 32, pages: 5)
    // Twenty positions: the whole pool.
    for request in 1...4 as ClosedRange<UInt64> { try driver.submit(request, prompt: 6, maxTokens: 15) }
    var ended: [RequestID] = []
    for _ in 0..<400 {
      for case .finished(let id, _, .length) in driver.step().events { ended.append(id) }
    }
    #expect(ended == [id(1), id(2), id(3), id(4)])
  }
}
