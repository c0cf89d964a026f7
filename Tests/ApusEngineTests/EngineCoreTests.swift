import ApusEngine
import ApusModel
import Synchronization
import TestSupport
import Testing

/// A clock that a test moves.
final class ManualClock: Sendable {
  private let time = Mutex(Duration.zero)

  func advance(_ duration: Duration) { time.withLock { $0 += duration } }
  var clock: EngineClock { EngineClock { self.time.withLock { $0 } } }
}

struct EngineCoreTests {
  private func core(
    _ model: FakeStepModel, _ configuration: EngineConfiguration = EngineConfiguration(),
    clock: EngineClock = EngineClock { .zero }, observer: (@Sendable (EngineEvent) -> Void)? = nil
  ) throws -> EngineCore {
    try EngineCore(
      model: model, configuration: configuration, kernels: nil, clock: clock, makeSeed: { 77 },
      observer: observer)
  }

  private func prompt(_ count: Int, from first: Int32 = 1) -> [Int32] {
    (0..<Int32(count)).map { ($0 + first) % 61 }
  }

  private func run(_ core: EngineCore) { while core.step() {} }

  @Test func eosAsFirstTokenNeverOccupiesADecodeRow() async throws {
    let model = FakeStepModel()
    model.forcedToken = { _ in 9 }
    let core = try core(model, EngineConfiguration(eosTokenIDs: [9]))
    let stream = try core.submit(GenerationRequest(promptTokens: prompt(5)), at: .zero)
    run(core)
    let result = await stream.collect()
    #expect(result.tokenIDs == [9])
    #expect(result.finishReason == .stop(token: 9))
    #expect(model.stepCount == 1)
    #expect(core.metrics.snapshot().decodeRowsTotal == 0)
    #expect(core.leaks == [])
  }

  @Test func ignoreEOSGoesOnAndStopTokensStillStop() async throws {
    let model = FakeStepModel()
    model.forcedToken = { $0.count < 8 ? 9 : 10 }
    let core = try core(model, EngineConfiguration(eosTokenIDs: [9]))
    var sampling = SamplingParameters.greedy(maxTokens: 20)
    sampling.ignoreEOS = true
    sampling.stopTokenIDs = [10]
    let stream = try core.submit(GenerationRequest(promptTokens: prompt(5), sampling: sampling), at: .zero)
    run(core)
    let result = await stream.collect()
    #expect(result.tokenIDs == [9, 9, 9, 10])
    #expect(result.finishReason == .stop(token: 10))
  }

  @Test func aPromptThatFillsTheContextGivesOneToken() async throws {
    let model = FakeStepModel(contextLength: 16)
    let core = try core(model)
    let stream = try core.submit(GenerationRequest(promptTokens: prompt(16)), at: .zero)
    run(core)
    let result = await stream.collect()
    #expect(result.tokens.map(\.position) == [16])
    #expect(result.finishReason == .length)
    #expect(model.violations == [])
  }

  @Test(arguments: [nil, 5, 6] as [Int?])
  func generatesToTheEndOfTheContextAndNotBeyond(maxTokens: Int?) async throws {
    let model = FakeStepModel(contextLength: 16)
    let core = try core(model)
    let stream = try core.submit(
      GenerationRequest(promptTokens: prompt(12), sampling: .greedy(maxTokens: maxTokens)), at: .zero)
    run(core)
    let result = await stream.collect()
    #expect(result.tokens.map(\.position) == Array(12...16))
    #expect(result.finishReason == .length)
    #expect(model.violations == [])
  }

  @Test func theTokenJustWrittenIsVisibleToItself() async throws {
    // The hash at each position covers the token fed there: the same tokens as one prompt give the same next
    // one.
    let model = FakeStepModel()
    let core = try core(model)
    let stream = try core.submit(
      GenerationRequest(promptTokens: prompt(3), sampling: .greedy(maxTokens: 6)), at: .zero)
    run(core)
    let tokens = await stream.collect().tokenIDs
    for count in 1..<6 {
      let again = try core.submit(
        GenerationRequest(promptTokens: prompt(3) + tokens.prefix(count), sampling: .greedy(maxTokens: 1)),
        at: .zero)
      run(core)
      #expect(await again.collect().tokenIDs == [tokens[count]])
    }
  }

  @Test func nanLogitsEndTheirRequestAlone() async throws {
    let model = FakeStepModel()
    model.isPoisoned = { $0[0] == 1 && $0.count == 7 }
    let core = try core(model)
    let poisoned = try core.submit(
      GenerationRequest(promptTokens: prompt(5), sampling: .greedy(maxTokens: 9)), at: .zero)
    let healthy = try core.submit(
      GenerationRequest(promptTokens: prompt(5, from: 2), sampling: .greedy(maxTokens: 9)), at: .zero)
    run(core)
    let failed = await poisoned.collect()
    #expect(failed.finishReason == .failed(.invalidLogits(request: poisoned.id, position: 7)))
    #expect(failed.tokens.count == 2)
    let finished = await healthy.collect()
    #expect(finished.tokens.count == 9)
    #expect(core.leaks == [])
    #expect(core.metrics.snapshot().requestsFailed == 1)
  }

  @Test func aRequestThatNeverFitsThePoolIsRefusedAlone() async throws {
    let model = FakeStepModel(pageSize: 4, pageCount: 4)
    let core = try core(model)
    let small = GenerationRequest(promptTokens: prompt(4), sampling: .greedy(maxTokens: 4))
    let first = try core.submit(small, at: .zero)
    #expect(throws: AdmissionError.needsTooManyPages(needed: 5, pageCount: 4)) {
      try core.submit(
        GenerationRequest(promptTokens: prompt(17), sampling: .greedy(maxTokens: 4)), at: .zero)
    }
    let last = try core.submit(small, at: .zero)
    run(core)
    #expect(await first.collect().finishReason == .length)
    #expect(await last.collect().finishReason == .length)
    #expect(model.violations == [])
    #expect(core.leaks == [])
  }

  @Test func cancellingAtEveryStepGivesEverySlotBack() async throws {
    for cancelledAt in 0..<20 {
      let model = FakeStepModel(slotCount: 2)
      let core = try core(model, EngineConfiguration(prefillStep: 3))
      let streams = try (0..<4).map {
        try core.submit(
          GenerationRequest(promptTokens: prompt(7, from: Int32($0)), sampling: .greedy(maxTokens: 6)),
          at: .zero)
      }
      for _ in 0..<cancelledAt { _ = core.step() }
      core.cancel(streams[1].id)
      core.cancel(streams[1].id)
      run(core)
      #expect(core.leaks == [])
      #expect(model.violations == [])
      for (index, stream) in streams.enumerated() where index != 1 {
        #expect(await stream.collect().tokens.count == 6)
      }
    }
  }

  @Test func droppingTheStreamFreesTheSlotWithinAStep() throws {
    let model = FakeStepModel(slotCount: 1)
    let core = try core(model)
    var dropped: TokenStream? = try core.submit(GenerationRequest(promptTokens: prompt(3)), at: .zero)
    let next = try core.submit(
      GenerationRequest(promptTokens: prompt(3), sampling: .greedy(maxTokens: 1)), at: .zero)
    _ = core.step()
    #expect(dropped != nil && core.metrics.snapshot().requestsWaiting == 1)
    dropped = nil
    _ = core.step()
    #expect(core.metrics.snapshot().requestsWaiting == 0)
    #expect(model.violations == [])
    withExtendedLifetime(next) {}
  }

  @Test func droppingTheIteratorCancelsThoughTheStreamIsHeld() throws {
    let model = FakeStepModel(slotCount: 1)
    let core = try core(model)
    let stream = try core.submit(GenerationRequest(promptTokens: prompt(3)), at: .zero)
    var iterator: TokenStream.Iterator? = stream.makeAsyncIterator()
    #expect(core.step())
    #expect(iterator != nil)
    iterator = nil
    #expect(!core.step())
    #expect(core.leaks == [])
    #expect(core.metrics.snapshot().requestsCancelled == 1)
  }

  @Test func drawsASeedForWhoBringsNoneAndReportsIt() async throws {
    let core = try core(FakeStepModel())
    let sampling = SamplingParameters(maxTokens: 8)
    let unseeded = try core.submit(GenerationRequest(promptTokens: prompt(3), sampling: sampling), at: .zero)
    var seeded = sampling
    seeded.seed = unseeded.seed
    let again = try core.submit(GenerationRequest(promptTokens: prompt(3), sampling: seeded), at: .zero)
    run(core)
    let (first, second) = (await unseeded.collect(), await again.collect())
    #expect(first.usage.seed == 77)
    #expect(first.tokenIDs == second.tokenIDs)
  }

  @Test func timesEachRequestAndTheWhole() async throws {
    let clock = ManualClock()
    let model = FakeStepModel(slotCount: 1)
    model.onForward = { _ in clock.advance(.seconds(1)) }
    let core = try core(model, clock: clock.clock)
    let request = GenerationRequest(promptTokens: prompt(3), sampling: .greedy(maxTokens: 3))
    let first = try core.submit(request, at: .zero)
    let second = try core.submit(request, at: .zero)
    run(core)
    let timings = [await first.collect().usage.timing, await second.collect().usage.timing]
    #expect(timings.map(\.queueTime) == [.zero, .seconds(3)])
    #expect(timings.map(\.timeToFirstToken) == [.seconds(1), .seconds(4)])
    #expect(timings.map(\.latency) == [.seconds(3), .seconds(6)])
    let metrics = core.metrics.snapshot()
    #expect(metrics.requestsTotal == 2)
    #expect(metrics.requestsRunning == 0 && metrics.requestsWaiting == 0)
    #expect(metrics.stepsTotal == 6)
    #expect(metrics.promptTokensTotal == 6 && metrics.generationTokensTotal == 6)
    #expect(metrics.tokensPerSecond == 1)
    #expect(metrics.averageLatency == 4.5)
    #expect(metrics.slotUtilization == 1)
    #expect(metrics.interTokenLatency.count == 4)
    #expect(metrics.interTokenLatency.mean == 1)
  }

  @Test func tellsWhichRequestHeldWhichSlotWhen() throws {
    let clock = ManualClock()
    let model = FakeStepModel(slotCount: 2)
    model.onForward = { _ in clock.advance(.seconds(1)) }
    let timeline = SlotTimeline()
    let core = try core(
      model, EngineConfiguration(prefillStep: 4, prefixCaching: false), clock: clock.clock,
      observer: timeline.record)
    var streams: [TokenStream] = []
    for (length, maxTokens) in [(4, 4), (8, 1), (4, 1)] {
      streams.append(
        try core.submit(
          GenerationRequest(promptTokens: prompt(length), sampling: .greedy(maxTokens: maxTokens)), at: .zero)
      )
    }
    run(core)
    func interval(_ index: Int, _ slot: Int, _ times: [Int]) -> SlotTimeline.Interval {
      SlotTimeline.Interval(
        request: streams[index].id, slot: slot, admitted: .seconds(times[0]), firstToken: .seconds(times[1]),
        finished: .seconds(times[2]))
    }
    #expect(
      timeline.intervals == [
        interval(0, 0, [0, 1, 4]), interval(1, 1, [1, 3, 3]), interval(2, 1, [3, 4, 4]),
      ])
  }

  @Test func refusalsAreCountedAndQueueNothing() throws {
    let core = try core(FakeStepModel(contextLength: 8), EngineConfiguration(queueLengthMax: 1))
    #expect(throws: AdmissionError.emptyPrompt) {
      try core.submit(GenerationRequest(promptTokens: []), at: .zero)
    }
    #expect(throws: AdmissionError.promptTooLong(tokens: 9, contextLength: 8)) {
      try core.submit(GenerationRequest(promptTokens: prompt(9)), at: .zero)
    }
    let stream = try core.submit(GenerationRequest(promptTokens: prompt(3)), at: .zero)
    #expect(throws: AdmissionError.queueFull(limit: 1)) {
      try core.submit(GenerationRequest(promptTokens: prompt(3)), at: .zero)
    }
    #expect(core.metrics.snapshot().requestsTotal == 1)
    #expect(core.metrics.snapshot().admissionRejections == 3)
    withExtendedLifetime(stream) {}
  }

  @Test func lettingGoOfTheCoreReleasesEverythingAndEndsStreams() async throws {
    var core: EngineCore? = try core(FakeStepModel(slotCount: 1))
    let running = try core!.submit(GenerationRequest(promptTokens: prompt(3)), at: .zero)
    let waiting = try core!.submit(GenerationRequest(promptTokens: prompt(3)), at: .zero)
    _ = core!.step()
    core = nil
    #expect(await running.collect().finishReason == .shutdown)
    #expect(await waiting.collect().finishReason == .shutdown)
  }

  @Test func refusesAModelWithFewerRowsThanSlots() {
    #expect(
      throws: EngineError.invalidConfiguration(
        field: "model.rowsPerStepMax", value: "3", expected: "at least the model's 4 slots")
    ) { try core(FakeStepModel(slotCount: 4, rowsPerStepMax: 3)) }
    #expect(throws: EngineError.self) { try core(FakeStepModel(), EngineConfiguration(prefillStep: 0)) }
    #expect(throws: EngineError.self) { try core(FakeStepModel(), EngineConfiguration(queueLengthMax: 0)) }
  }
}
