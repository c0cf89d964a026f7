import ApusEngine
import TestSupport
import Testing

/// Who of the waiting goes first under each policy, and how often a request may be overtaken.
struct PolicyTests {
  @Test func fifoGoesByArrivalWhateverElse() throws {
    var driver = SchedulerDriver(slots: 1, policy: FIFOPolicy())
    try driver.submit(1, prompt: 9, maxTokens: 5, priority: 3)
    try driver.submit(2, prompt: 1, maxTokens: 1, priority: -3)
    try driver.submit(3, prompt: 4, maxTokens: 2)
    #expect(driver.runToEnd() == [1, 2, 3])
  }

  @Test func priorityGoesByClassThenArrival() throws {
    var driver = SchedulerDriver(slots: 1, policy: PriorityPolicy())
    for (request, priority) in [(1, 2), (2, 0), (3, 2), (4, -1), (5, 0)] {
      try driver.submit(UInt64(request), priority: priority)
    }
    #expect(driver.runToEnd() == [4, 2, 5, 1, 3])
  }

  @Test func shortestGoesByRowsLeftThenArrival() throws {
    var driver = SchedulerDriver(slots: 1, policy: ShortestRemainingPolicy())
    try driver.submit(1, prompt: 9, maxTokens: 2)
    try driver.submit(2, prompt: 2, maxTokens: 9)
    try driver.submit(3, prompt: 5, maxTokens: 5)
    try driver.submit(4, prompt: 1, maxTokens: 4)
    #expect(driver.runToEnd() == [4, 3, 1, 2])
  }

  @Test func aPreemptedRequestHasItsTokensToRunAgainAndNoneOfThemToGenerate() {
    let fresh = ScheduledRequest(id: id(1), promptTokens: [1, 2], maxTokens: 8)
    let resumed = ScheduledRequest(
      id: id(2), promptTokens: [1, 2], generatedTokens: [3, 4, 5], maxTokens: 8)
    #expect(fresh.remaining == 10 && resumed.remaining == 10)
    #expect(fresh.positionsMax == 9 && resumed.positionsMax == 9)
  }

  @Test func balanceGoesByTheMeanLengthOfThoseThatRun() throws {
    var driver = SchedulerDriver(slots: 3, prefillStep: 60, policy: LengthBalancePolicy())
    // Nothing runs: by arrival.
    try driver.submit(1, prompt: 20, maxTokens: 30)
    try driver.submit(2, prompt: 2, maxTokens: 1)
    #expect(driver.scheduler.nextWaiting() == 0)
    driver.step()
    // Request 2 ended in that step, and request 1 has 21 tokens.
    for (request, length) in [(3, 2), (4, 60), (5, 30), (6, 12), (7, 12)] {
      try driver.submit(UInt64(request), prompt: length, maxTokens: 3)
    }
    // 9 from the mean, as are the two of 12 that came later.
    #expect(driver.scheduler.waitingRequest(at: driver.scheduler.nextWaiting()).id == id(5))
  }

  @Test func balanceBreaksTiesByArrival() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 60, policy: LengthBalancePolicy())
    try driver.submit(1, prompt: 10, maxTokens: 30)
    driver.step()
    // Both are 3 from request 1's 11 tokens.
    try driver.submit(2, prompt: 14, maxTokens: 3)
    try driver.submit(3, prompt: 8, maxTokens: 3)
    #expect(driver.scheduler.nextWaiting() == 0)
  }

  /// A request that the policy likes least, against others that keep coming: it is overtaken `patience` times.
  @Test(arguments: [0, 1, 7])
  func ageingBoundsHowOftenARequestIsOvertaken(patience: Int) throws {
    let policies: [any SchedulingPolicy] = [
      PriorityPolicy(patience: patience), ShortestRemainingPolicy(patience: patience),
      LengthBalancePolicy(patience: patience),
    ]
    for policy in policies {
      var driver = SchedulerDriver(slots: 2, prefillStep: 60, policy: policy)
      try driver.submit(1, prompt: 1, maxTokens: 40)
      driver.step()
      try driver.submit(2, prompt: 40, maxTokens: 20, priority: 5)
      var overtaken = 0
      for request in 3..<60 as Range<UInt64> {
        try driver.submit(request, prompt: 1, maxTokens: 1)
        let events = driver.step().events
        if events.contains(where: { if case .admitted(id(2), _) = $0 { true } else { false } }) { break }
        overtaken += 1
      }
      #expect(overtaken == patience, "\(policy.name)")
    }
  }

  /// Over random arrivals, no request under any policy sees more later ones admitted before it than the policy says.
  @Test(arguments: 0..<12)
  func noRequestIsOvertakenMoreOftenThanItsPolicySays(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let patience = random.nextInt(0...6)
    let policies: [any SchedulingPolicy] = [
      FIFOPolicy(), PriorityPolicy(patience: patience), ShortestRemainingPolicy(patience: patience),
      LengthBalancePolicy(patience: patience),
    ]
    for policy in policies {
      var driver = SchedulerDriver(slots: 3, prefillStep: 16, queue: 1000, pages: 20, policy: policy)
      var next: UInt64 = 1
      var admitted: [UInt64] = []
      while next < 150 || !driver.scheduler.isIdle {
        for _ in 0..<random.nextInt(0...2) where next < 150 {
          try driver.submit(
            next, prompt: random.nextInt(1...20), maxTokens: random.nextInt(1...12),
            priority: random.nextInt(-2...2))
          next += 1
        }
        for case .admitted(let id, _) in driver.step().events where !admitted.contains(id.rawValue) {
          admitted.append(id.rawValue)
        }
      }
      let most = try #require(policy.overtakenMax)
      for (place, request) in admitted.enumerated() {
        let overtakers = admitted.prefix(place).count { $0 > request }
        #expect(overtakers <= most, "\(policy.name): request \(request)")
      }
      #expect(admitted.count == 149)
    }
  }
}

struct FairSharePolicyTests {
  @Test func theTenantServedLeastGoesFirst() throws {
    var driver = SchedulerDriver(slots: 1, policy: FairSharePolicy())
    try driver.submit(1, prompt: 8, maxTokens: 4, tenant: "a")
    try driver.submit(2, prompt: 8, maxTokens: 4, tenant: "a")
    try driver.submit(3, prompt: 1, maxTokens: 1, tenant: "b")
    try driver.submit(4, prompt: 1, maxTokens: 1, tenant: "b")
    #expect(driver.runToEnd() == [1, 3, 4, 2])
  }

  @Test func countsPromptTokensOnceAndGeneratedOnesTwice() {
    var policy = FairSharePolicy()
    policy.submitted(by: "a")
    policy.served("a", promptTokens: 10, generatedTokens: 0)
    policy.served("a", promptTokens: 0, generatedTokens: 3)
    #expect(policy.counter(of: "a") == 16)
    #expect(policy.counter(of: "b") == nil)
  }

  @Test func absenceSavesNothingUp() {
    var policy = FairSharePolicy()
    policy.submitted(by: "a")
    policy.submitted(by: "b")
    policy.ended(of: "b", wasWaiting: true)
    policy.served("a", promptTokens: 100, generatedTokens: 0)
    policy.submitted(by: "b")
    #expect(policy.counter(of: "b") == 100)
  }

  @Test func aTenantThatOwesStillDoesWhenItComesBack() {
    var policy = FairSharePolicy()
    policy.submitted(by: "a")
    policy.submitted(by: "b")
    policy.admitted("b")
    policy.served("b", promptTokens: 500, generatedTokens: 0)
    policy.ended(of: "b", wasWaiting: false)
    policy.served("a", promptTokens: 100, generatedTokens: 0)
    policy.submitted(by: "b")
    #expect(policy.counter(of: "b") == 500)
  }

  @Test func forgetsTenantsThatAreGone() {
    var policy = FairSharePolicy()
    for tenant in 0..<100 {
      policy.submitted(by: "\(tenant)")
      policy.served("\(tenant)", promptTokens: tenant, generatedTokens: 0)
    }
    for tenant in 0..<99 { policy.ended(of: "\(tenant)", wasWaiting: true) }
    #expect(policy.counter(of: "0") == nil && policy.counter(of: "98") == nil)
    policy.ended(of: "99", wasWaiting: true)
    #expect(policy.counter(of: "99") == nil)
  }

  /// The bound that the policy states: while both have requests waiting, their counters differ by
  /// `2 * max(P, 2 G)`, however unequal what they send.
  @Test(arguments: 0..<10)
  func countersOfTenantsThatBothWaitStayWithinTheBound(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let (slots, promptMax, outputMax) = (3, 24, 16)
    var driver = SchedulerDriver(
      slots: slots, prefillStep: 16, queue: 1000, cachesPrefixes: false, policy: FairSharePolicy())
    var next: UInt64 = 1
    func count(_ tenant: String) -> Int {
      (0..<driver.scheduler.waitingCount).count {
        driver.scheduler.waitingRequest(at: $0).tenant == tenant
      }
    }
    let bound = 2 * max(Double(promptMax), FairSharePolicy.generatedWeight * Double(slots * outputMax))
    for _ in 0..<400 {
      // One tenant sends long requests, many of them, the other short ones: both always have some waiting.
      for tenant in ["greedy", "modest"] {
        while count(tenant) < (tenant == "greedy" ? 5 : 2) {
          let isGreedy = tenant == "greedy"
          try driver.submit(
            next, prompt: isGreedy ? promptMax : random.nextInt(1...4),
            maxTokens: isGreedy ? outputMax : random.nextInt(1...4), tenant: tenant)
          next += 1
        }
      }
      let policy = try #require(driver.scheduler.policy as? FairSharePolicy)
      let counters = try ["greedy", "modest"].map { try #require(policy.counter(of: $0)) }
      #expect(abs(counters[0] - counters[1]) <= bound)
      driver.step()
    }
  }
}
