import ApusEngine
import Testing

/// What the simulation found, each in the words of what must hold.
struct SimulationFindingTests {
  @Test func aQueueDeeperThanThePatienceStillGoesByPriority() throws {
    // Requests that came before the third do not count as having overtaken it.
    var driver = SchedulerDriver(slots: 1, policy: PriorityPolicy(patience: 2))
    for request in 1...4 { try driver.submit(UInt64(request), priority: 5) }
    #expect(driver.step().events.first == .admitted(id(1), slot: 0))
    #expect(driver.step().events.first == .admitted(id(2), slot: 0))
    try driver.submit(9, priority: 0)
    #expect(driver.runToEnd() == [9, 3, 4])
  }

  @Test func whoWasOvertakenAsOftenAsIsPromisedGoesNext() throws {
    var driver = SchedulerDriver(slots: 1, policy: PriorityPolicy(patience: 2))
    try driver.submit(1, priority: 5)
    for request in 2...5 { try driver.submit(UInt64(request), priority: 0) }
    #expect(driver.runToEnd() == [2, 3, 1, 4, 5])
  }

  @Test func aPromptToBeScoredIsLetInWithPagesForAllOfIt() throws {
    // It may not take over what the first has computed, and must not be counted on to.
    var driver = SchedulerDriver(slots: 2, pages: 4, pageSize: 2, context: 8)
    driver.promptToken = { _, position in Int32(position) }
    try driver.submit(1, prompt: 4, maxTokens: 5)
    driver.step()
    try driver.scheduler.submit([
      ScheduledRequest(id: id(2), promptTokens: [0, 1, 2, 3], maxTokens: 1, scoresPrompt: true)
    ])
    #expect(driver.step().runs == [[1, 0, 4, 1]])
    #expect(driver.plan.waitingForPages == [id(2)])
  }

  @Test func aCompletionThatLostItsPagesTakesThemAgainAndNotOnlyItsPrompt() throws {
    var driver = SchedulerDriver(slots: 3, rows: 3, prefillStep: 1, pages: 7, pageSize: 2, context: 9)
    driver.promptToken = { _, _ in 7 }
    for request in 1...3 { try driver.submit(UInt64(request), prompt: 3, maxTokens: 7, family: 1) }
    var returned: [Int] = []
    while !driver.scheduler.isIdle {
      let events = driver.step().events
      guard events.contains(where: { if case .preempted(id(2), _, _) = $0 { true } else { false } }) else {
        continue
      }
      for case .reused(id(2), let positions) in events { returned.append(positions) }
    }
    #expect(returned == [6])
  }

  @Test func noPageIsCopiedInTheStepThatComputesIt() throws {
    // The second finds two pages that the first computes in this step; the third wants five positions of these.
    var driver = SchedulerDriver(slots: 3, prefillStep: 16, pageSize: 4)
    let tokens = (0..<9).map { Int32($0) }
    let gone = id(0)
    try driver.scheduler.submit([
      ScheduledRequest(id: id(1), promptTokens: tokens, maxTokens: 9),
      ScheduledRequest(
        id: id(2), promptTokens: Array(tokens[..<6]), generatedTokens: Array(tokens[6...]), maxTokens: 9,
        family: gone, sharedCount: 9),
      ScheduledRequest(
        id: id(3), promptTokens: Array(tokens[..<6]), maxTokens: 9, family: gone, sharedCount: 6),
    ])
    #expect(driver.step().runs == [[2, 1, 8, 1], [1, 0, 0, 9]])
    #expect(driver.plan.pageCopies == [])
    #expect(driver.step().runs == [[1, 0, 9, 1], [2, 1, 9, 1], [3, 2, 5, 1]])
    #expect(driver.plan.pageCopies.count == 1)
  }

  @Test func aTenantThatComesToWaitIsLiftedToThoseThatWait() {
    var policy = FairSharePolicy()
    // One runs and is served little, another waits and was served much.
    policy.submitted(by: "little")
    policy.admitted("little")
    policy.served("little", promptTokens: 1, generatedTokens: 0)
    policy.submitted(by: "much")
    policy.submitted(by: "much")
    policy.admitted("much")
    policy.served("much", promptTokens: 1000, generatedTokens: 0)
    policy.submitted(by: "new")
    policy.submitted(by: "little")
    #expect(policy.counter(of: "much") == 1000)
    #expect(policy.counter(of: "new") == 1000)
    #expect(policy.counter(of: "little") == 1000)
  }

  @Test func aTenantThatLosesItsSlotIsLiftedLikeOneThatComes() {
    var policy = FairSharePolicy()
    policy.submitted(by: "preempted")
    policy.admitted("preempted")
    policy.submitted(by: "waiting")
    policy.served("waiting", promptTokens: 0, generatedTokens: 50)
    policy.preempted("preempted")
    #expect(policy.counter(of: "preempted") == 100)
  }

  @Test func servedTenantsAreKnownUntilNobodyIsThere() {
    var policy = FairSharePolicy()
    policy.submitted(by: "a")
    policy.admitted("a")
    policy.served("a", promptTokens: 10, generatedTokens: 0)
    policy.submitted(by: "b")
    policy.ended(of: "a", wasWaiting: false)
    #expect(policy.counter(of: "a") == 10)
    policy.served("b", promptTokens: 10, generatedTokens: 0)
    policy.submitted(by: "b")
    policy.ended(of: "b", wasWaiting: true)
    #expect(policy.counter(of: "a") == nil)
    policy.ended(of: "b", wasWaiting: true)
    #expect(policy.counter(of: "b") == nil)
  }
}
