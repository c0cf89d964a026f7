import ApusEngine
import TestSupport
import Testing

/// A queue bounded in requests and in tokens, which refuses by type and keeps nothing of what it refused.
struct QueueLimitTests {
  @Test func refusesTheTokensThatWouldBeTooMany() throws {
    var driver = SchedulerDriver(slots: 1, queueTokens: 10)
    try driver.submit(1, prompt: 6)
    #expect(throws: AdmissionError.queueTokensFull(tokens: 5, waiting: 6, limit: 10)) {
      try driver.submit(2, prompt: 5)
    }
    try driver.submit(3, prompt: 4)
    #expect(driver.scheduler.waitingCount == 2 && driver.scheduler.waitingTokenCount == 10)
    driver.step()
    // Request 1 has a slot: its tokens do not wait any more.
    #expect(driver.scheduler.waitingTokenCount == 4)
    try driver.submit(4, prompt: 6)
  }

  @Test func aListIsTakenAsAWholeOrNotAtAll() throws {
    let core = try core(queueLengthMax: 3, queueTokensMax: 100)
    let request = GenerationRequest(promptTokens: [1, 2], sampling: .greedy(maxTokens: 1))
    #expect(throws: AdmissionError.queueFull(limit: 3)) {
      try core.submit(Array(repeating: request, count: 4), at: .zero)
    }
    #expect(throws: AdmissionError.queueFull(limit: 3)) {
      try core.submit([request, request], count: 2, at: .zero)
    }
    #expect(core.metrics.snapshot().requestsTotal == 0 && core.isIdle)
    let streams = try core.submit([request], count: 3, at: .zero)
    #expect(core.metrics.snapshot().requestsWaiting == 3 && core.metrics.snapshot().tokensWaiting == 6)
    withExtendedLifetime(streams) {}
  }

  @Test func countsTheTokensOfAFork() throws {
    let core = try core(queueLengthMax: 8, queueTokensMax: 9)
    let stream = try core.submit(
      GenerationRequest(promptTokens: [1, 2, 3, 4], sampling: .greedy(maxTokens: 20)), at: .zero)
    for _ in 0..<6 { _ = core.step() }
    // Four of the prompt and six generated.
    #expect(throws: AdmissionError.queueTokensFull(tokens: 10, waiting: 0, limit: 9)) {
      try core.fork(stream.id, seed: nil, at: .zero)
    }
    #expect(core.metrics.snapshot().admissionRejections == 1 && core.metrics.snapshot().requestsTotal == 1)
  }

  @Test func refusesCompletionsThatCouldNeverWait() throws {
    let core = try core(queueLengthMax: 3, queueTokensMax: 100)
    for count in [0, -1, 4] {
      #expect(throws: AdmissionError.invalidParameter(field: "count", value: "\(count)", expected: "1...3")) {
        try core.submit([GenerationRequest(promptTokens: [1])], count: count, at: .zero)
      }
    }
  }

  @Test func aForkOfWhatHasEndedIsRefused() throws {
    let core = try core(queueLengthMax: 3, queueTokensMax: 100)
    let stream = try core.submit(
      GenerationRequest(promptTokens: [1], sampling: .greedy(maxTokens: 1)), at: .zero)
    while core.step() {}
    #expect(throws: AdmissionError.unknownRequest(stream.id)) { try core.fork(stream.id, seed: 1, at: .zero) }
  }

  @Test func thePreemptedGoBackWhateverTheLimit() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 32, queue: 2, queueTokens: 12, pages: 4)
    try driver.submit(1, prompt: 2, maxTokens: 14)
    try driver.submit(2, prompt: 2, maxTokens: 14)
    driver.step()
    try driver.submit(3, prompt: 4)
    try driver.submit(4, prompt: 8)
    var wasFull = false
    while !driver.scheduler.isIdle {
      driver.step()
      wasFull = wasFull || driver.scheduler.waitingTokenCount > 12
    }
    #expect(wasFull)
  }

  private func core(queueLengthMax: Int, queueTokensMax: Int) throws -> EngineCore {
    try EngineCore(
      model: FakeStepModel(slotCount: 1),
      configuration: EngineConfiguration(queueLengthMax: queueLengthMax, queueTokensMax: queueTokensMax),
      kernels: nil, clock: EngineClock { .zero }, makeSeed: { 1 }, observer: nil)
  }
}
