import ApusEngine
import ApusModel
import Testing

struct SchedulerTests {
  @Test func plansNothingWhenAllSlotsAreIdle() {
    var driver = SchedulerDriver()
    #expect(driver.step().runs.isEmpty)
    #expect(driver.scheduler.isIdle)
  }

  @Test func splitsALongPromptOverSteps() throws {
    var driver = SchedulerDriver(prefillStep: 8)
    try driver.submit(1, prompt: 20, maxTokens: 2)
    #expect(driver.step().runs == [[1, 0, 0, 8]])
    #expect(driver.step().runs == [[1, 0, 8, 8]])
    #expect(driver.plan.sampleCount == 0)
    #expect(driver.step().runs == [[1, 0, 16, 4]])
    #expect(driver.plan.sampleCount == 1)
    #expect(driver.step().runs == [[1, 0, 20, 1]])
    #expect(driver.scheduler.isIdle)
  }

  @Test func lastPrefillChunkGivesTheFirstTokenWithoutADecodeRow() throws {
    var driver = SchedulerDriver()
    try driver.submit(1, prompt: 3, maxTokens: 1)
    let (runs, events) = driver.step()
    #expect(runs == [[1, 0, 0, 3]])
    #expect(
      events == [
        .admitted(id(1), slot: 0), .token(id(1), slot: 0, token: 7, position: 3, sample: 0),
        .finished(id(1), slot: 0, reason: .length),
      ])
    #expect(driver.plan.decodeRowCount == 0)
    #expect(driver.step().runs.isEmpty)
  }

  @Test func finishesPrefillThatGivesEOSWithoutADecodeRow() throws {
    var driver = SchedulerDriver()
    try driver.submit(1, prompt: 3, maxTokens: 10, stop: [7])
    #expect(driver.step().events.last == .finished(id(1), slot: 0, reason: .stop(token: 7)))
    #expect(driver.scheduler.isIdle)
    #expect(driver.step().runs.isEmpty)
  }

  @Test func finishesALonePrefillOfManyChunks() throws {
    var driver = SchedulerDriver(slots: 1, prefillStep: 2)
    try driver.submit(1, prompt: 9, maxTokens: 1)
    var steps = 0
    while !driver.scheduler.isIdle {
      driver.step()
      steps += 1
    }
    #expect(steps == 5)
  }

  @Test func decodeRowReadsTheTokenJustWritten() throws {
    var driver = SchedulerDriver()
    try driver.submit(1, prompt: 2, maxTokens: 3)
    driver.step(token: 42)
    driver.step(token: 43)
    #expect(driver.plan.tokenIDs == [42])
    var batch = RaggedBatch()
    driver.plan.lower(into: &batch)
    #expect(batch.sequences == [.init(slot: 0, rowStart: 0, rowCount: 1, kvLength: 3)])
    #expect(batch.logitRows == [0])
  }

  @Test func mixesDecodeRowsWithSeveralPromptsWithinTheBudget() throws {
    var driver = SchedulerDriver(slots: 4, prefillStep: 8)
    try driver.submit(1, prompt: 1, maxTokens: 9)
    driver.step()
    try driver.submit(2, prompt: 5, maxTokens: 9)
    try driver.submit(3, prompt: 6, maxTokens: 9)
    try driver.submit(4, prompt: 1, maxTokens: 9)
    #expect(driver.step().runs == [[1, 0, 1, 1], [2, 1, 0, 5], [3, 2, 0, 3]])
    #expect(driver.scheduler.waitingCount == 1)
    #expect(driver.step().runs == [[1, 0, 2, 1], [2, 1, 5, 1], [3, 2, 3, 3], [4, 3, 0, 1]])
  }

  @Test func neverPlansMoreRowsThanAStepMayHold() throws {
    var driver = SchedulerDriver(slots: 3, rows: 3, prefillStep: 100)
    for request in 1...3 { try driver.submit(UInt64(request), prompt: 4, maxTokens: 4) }
    while !driver.scheduler.isIdle {
      driver.step()
      #expect((1...3).contains(driver.plan.rowCount) || driver.plan.rowCount == 0)
    }
  }

  @Test func admitsFirstInFirstOut() throws {
    var driver = SchedulerDriver(slots: 1)
    for request in 1...3 { try driver.submit(UInt64(request)) }
    var order: [RequestID] = []
    while !driver.scheduler.isIdle {
      for case .admitted(let request, _) in driver.step().events { order.append(request) }
    }
    #expect(order == [id(1), id(2), id(3)])
  }

  @Test func aPrefilledRequestAlwaysHasItsSlot() throws {
    // Slots are taken at admission: no prompt runs that has none, however many wait.
    var driver = SchedulerDriver(slots: 2, prefillStep: 3)
    for request in 1...6 { try driver.submit(UInt64(request), prompt: 5, maxTokens: 3) }
    while !driver.scheduler.isIdle {
      driver.step()
      #expect(Set(driver.plan.runs.map(\.slot)).count == driver.plan.runs.count)
      #expect(driver.plan.runs.allSatisfy { (0..<2).contains($0.slot) })
    }
  }

  @Test func staticAdmissionWaitsUntilAllSlotsAreIdle() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 2, admission: .static)
    try driver.submit(1, prompt: 2, maxTokens: 1)
    try driver.submit(2, prompt: 2, maxTokens: 3)
    try driver.submit(3, prompt: 2, maxTokens: 1)
    #expect(driver.step().runs == [[1, 0, 0, 2]])
    #expect(driver.step().runs == [[2, 1, 0, 2]])
    #expect(driver.step().runs == [[2, 1, 2, 1]])
    #expect(driver.step().runs == [[2, 1, 3, 1]])
    #expect(driver.step().runs == [[3, 0, 0, 2]])
    #expect(driver.scheduler.isIdle)
  }

  @Test func refusesWhenTheQueueIsFull() throws {
    var driver = SchedulerDriver(slots: 1, queue: 2)
    try driver.submit(1)
    try driver.submit(2)
    #expect(throws: AdmissionError.queueFull(limit: 2)) { try driver.submit(3) }
    #expect(driver.scheduler.waitingCount == 2)
    driver.step()
    try driver.submit(3)
  }

  @Test func cancelsInEveryState() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 2)
    try driver.submit(1, prompt: 1, maxTokens: 9)
    driver.step()
    try driver.submit(2, prompt: 9, maxTokens: 9)
    try driver.submit(3)
    driver.step()
    #expect(driver.cancel(3) == [.finished(id(3), slot: nil, reason: .cancelled)])
    #expect(driver.cancel(2) == [.finished(id(2), slot: 1, reason: .cancelled)])
    #expect(driver.cancel(1) == [.finished(id(1), slot: 0, reason: .cancelled)])
    #expect(driver.scheduler.isIdle)
    #expect(driver.cancel(1) == [])
    #expect(driver.cancel(99) == [])
  }

  @Test func cancelWhileAStepRunsDropsItsOutcome() throws {
    var driver = SchedulerDriver(slots: 2)
    try driver.submit(1, maxTokens: 5)
    try driver.submit(2, maxTokens: 5)
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    #expect(driver.cancel(1) == [.finished(id(1), slot: 0, reason: .cancelled)])
    events = []
    driver.finish([5, 6], events: &events)
    #expect(events == [.token(id(2), slot: 1, token: 6, position: 1, sample: 1)])
  }

  @Test func aFailedRowEndsItsRequestAlone() throws {
    var driver = SchedulerDriver(slots: 2)
    try driver.submit(1, maxTokens: 5)
    try driver.submit(2, maxTokens: 5)
    var events: [SchedulerEvent] = []
    _ = driver.plan(events: &events)
    let error = GenerationError.invalidLogits(request: id(1), position: 1)
    events = []
    driver.finish([nil, 6], events: &events)
    #expect(events.first == .finished(id(1), slot: 0, reason: .failed(error)))
    #expect(driver.step().runs == [[2, 1, 1, 1]])
  }

  @Test func waitsForPagesInOrderAndOvertakesNobody() throws {
    // Two pages of four positions; the first request takes one and may soon want another.
    var driver = SchedulerDriver(slots: 3, pages: 2)
    try driver.submit(1, prompt: 3, maxTokens: 3)
    driver.step()
    try driver.submit(2, prompt: 5, maxTokens: 1)
    try driver.submit(3, prompt: 1, maxTokens: 1)
    #expect(driver.step().runs == [[1, 0, 3, 1]])
    #expect(driver.plan.waitingForPages == [id(2)])
    #expect(driver.step().runs == [[1, 0, 4, 1]])
    #expect(driver.step().runs == [[2, 0, 0, 5]])
    #expect(driver.step().runs == [[3, 0, 0, 1]])
  }

  @Test func givesAFreeSlotBesideOthersThatHoldAllTheyCanTake() throws {
    // Two pages for each of two slots; the first request holds both of its own and will want no more.
    var driver = SchedulerDriver(slots: 2, pages: 4)
    try driver.submit(1, prompt: 5, maxTokens: 4)
    driver.step()
    try driver.submit(2, prompt: 5, maxTokens: 4)
    #expect(driver.step().runs == [[1, 0, 5, 1], [2, 1, 0, 5]])
    #expect(driver.plan.waitingForPages == [])
  }

  @Test func refusesWhatNeverFitsThePool() throws {
    var driver = SchedulerDriver(slots: 2, pages: 2)
    #expect(throws: AdmissionError.needsTooManyPages(needed: 3, pageCount: 2)) {
      try driver.submit(1, prompt: 5, maxTokens: 5)
    }
    #expect(driver.scheduler.isIdle)
    try driver.submit(2, prompt: 5, maxTokens: 4)
  }

  @Test func cancelAllEndsEveryRequestOnce() throws {
    var driver = SchedulerDriver(slots: 2)
    for request in 1...4 { try driver.submit(UInt64(request), maxTokens: 5) }
    driver.step()
    var events: [SchedulerEvent] = []
    driver.scheduler.cancelAll(reason: .shutdown, events: &events)
    let ended = events.compactMap { event -> RequestID? in
      if case .finished(let request, _, .shutdown) = event { request } else { nil }
    }
    #expect(ended == [id(1), id(2), id(3), id(4)])
    #expect(driver.scheduler.isIdle)
  }
}
