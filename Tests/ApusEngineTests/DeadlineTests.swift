import ApusEngine
import ApusModel
import TestSupport
import Testing

/// Time limits, in the scheduler and by the engine's clock.
struct DeadlineTests {
  @Test func aRequestThatStillWaitsAtItsQueueDeadlineEnds() throws {
    var driver = SchedulerDriver(slots: 1)
    try driver.submit(1, maxTokens: 50)
    try driver.submit(2, queueDeadline: .seconds(5))
    driver.step(at: .seconds(4))
    #expect(driver.scheduler.waitingCount == 1)
    #expect(
      driver.step(at: .seconds(5)).events.contains(
        .finished(id(2), slot: nil, reason: .timedOut(.queue))))
    #expect(driver.scheduler.waitingCount == 0 && driver.scheduler.runningCount == 1)
  }

  @Test func theQueueDeadlineIsMetWithTheFirstSlot() throws {
    var driver = SchedulerDriver(slots: 1)
    try driver.submit(1, maxTokens: 3, queueDeadline: .seconds(5))
    driver.step(at: .seconds(1))
    driver.step(at: .seconds(9))
    #expect(driver.step(at: .seconds(10)).events.last == .finished(id(1), slot: 0, reason: .length))
  }

  /// It had its slot: to wait again is not its fault.
  @Test func aPreemptedRequestIsNotHeldToItsQueueDeadline() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 32, pages: 4)
    try driver.submit(1, prompt: 2, maxTokens: 14)
    try driver.submit(2, prompt: 2, maxTokens: 14, queueDeadline: .seconds(5))
    // Its end makes the scheduler look at all deadlines, while request 2 waits for pages.
    try driver.submit(3, deadline: .seconds(100))
    var events: [SchedulerEvent] = []
    var step = 0
    while !driver.scheduler.isIdle {
      events += driver.step(at: .seconds(step * 10)).events
      step += 1
    }
    #expect(events.contains(.preempted(id(2), slot: 1, by: id(1))))
    #expect(events.last == .finished(id(2), slot: 0, reason: .length))
  }

  @Test func theTotalDeadlineEndsARequestWhereverItIs() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 4)
    try driver.submit(1, prompt: 1, maxTokens: 50, deadline: .seconds(9))  // decodes
    try driver.submit(2, prompt: 40, maxTokens: 5, deadline: .seconds(9))  // prefills
    try driver.submit(3, deadline: .seconds(9))  // waits
    driver.step(at: .seconds(1))
    driver.step(at: .seconds(2))
    let events = driver.step(at: .seconds(9)).events
    #expect(
      events == [
        .finished(id(3), slot: nil, reason: .timedOut(.total)),
        .finished(id(1), slot: 0, reason: .timedOut(.total)),
        .finished(id(2), slot: 1, reason: .timedOut(.total)),
      ])
    #expect(driver.scheduler.isIdle && driver.scheduler.memory.heldCount == 0)
  }

  @Test func theEarlierOfBothDeadlinesCounts() throws {
    var driver = SchedulerDriver(slots: 1)
    try driver.submit(1, maxTokens: 50)
    try driver.submit(2, queueDeadline: .seconds(3), deadline: .seconds(7))
    try driver.submit(3, queueDeadline: .seconds(8), deadline: .seconds(4))
    var reasons: [RequestID: FinishReason] = [:]
    for second in 0..<10 {
      for case .finished(let id, _, let reason) in driver.step(at: .seconds(second)).events {
        reasons[id] = reason
      }
    }
    #expect(reasons == [id(2): .timedOut(.queue), id(3): .timedOut(.total)])
  }

  @Test func othersGoOnWhereOneTimesOut() async throws {
    let clock = ManualClock()
    let model = FakeStepModel(slotCount: 2)
    model.onForward = { _ in clock.advance(.seconds(1)) }
    let core = try EngineCore(
      model: model, configuration: EngineConfiguration(), kernels: nil, clock: clock.clock, makeSeed: { 1 },
      observer: nil)
    var limited = GenerationRequest(promptTokens: [1, 2], sampling: .greedy(maxTokens: 20))
    limited.timeout = .seconds(3)
    var impatient = GenerationRequest(promptTokens: [4], sampling: .greedy(maxTokens: 20))
    impatient.queueTimeout = .milliseconds(500)
    let other = GenerationRequest(promptTokens: [3, 4], sampling: .greedy(maxTokens: 8))
    let streams = try core.submit([limited, other, impatient], at: .zero)
    while core.step() {}
    let results = [await streams[0].collect(), await streams[1].collect(), await streams[2].collect()]
    #expect(results.map(\.finishReason) == [.timedOut(.total), .length, .timedOut(.queue)])
    #expect(results.map(\.tokens.count) == [3, 8, 0])
    #expect(results[2].usage.timing.admitted == nil)
    #expect(core.metrics.snapshot().requestsTimedOut == 2)
    #expect(core.leaks == [])
  }

  @Test func aLimitOfNoTimeIsRefusedByName() {
    for limit in [Duration.zero, .seconds(-1)] {
      for field in ["queueTimeout", "timeout"] {
        var request = GenerationRequest(promptTokens: [1])
        if field == "timeout" { request.timeout = limit } else { request.queueTimeout = limit }
        #expect(
          throws: AdmissionError.invalidParameter(
            field: field, value: "\(limit)", expected: "more than no time")
        ) { try request.validate(vocabularySize: 10, contextLength: 10) }
      }
    }
  }
}
