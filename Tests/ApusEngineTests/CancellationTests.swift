import ApusEngine
import ApusModel
import TestSupport
import Testing

/// A request is cancelled before every step of a run in which it waits, waits for its family, prefills, decodes,
/// guesses ahead, and is preempted: every time all slots and pages come back, and the others answer as before.
struct CancellationTests {
  private enum State: String, CaseIterable {
    case waiting, waitingForFamily, prefilling, decoding, guessing, preempted, ended
  }

  /// Requests that share slots, pages and beginnings.
  private struct Run {
    let model = FakeStepModel(slotCount: 4, contextLength: 64, rowsPerStepMax: 40, pageSize: 4, pageCount: 12)
    let engine: EngineCore
    var streams: [TokenStream] = []
    var wasAdmitted: Set<RequestID> = []

    init() throws {
      // Four tokens of five repeat what came three before, so that guesses are right.
      model.forcedToken = { $0.count > 6 && $0.count % 5 != 0 ? $0[$0.count - 3] : nil }
      engine = try EngineCore(
        model: model, configuration: EngineConfiguration(prefillStep: 6, draftTokensMax: 3), kernels: nil,
        clock: EngineClock { .zero }, makeSeed: { 3 }, observer: nil)
      func request(_ prompt: Range<Int32>, _ maxTokens: Int) -> GenerationRequest {
        GenerationRequest(
          promptTokens: prompt.map { $0 * 7 % 61 },
          sampling: SamplingParameters(temperature: 0.8, seed: 9, maxTokens: maxTokens))
      }
      streams = try engine.submit([request(0..<9, 24)], at: .zero)
      streams += try engine.submit([request(0..<14, 9)], count: 3, at: .zero)
      streams += try engine.submit(
        [request(3..<10, 22), request(0..<13, 6), request(20..<30, 12)], at: .zero)
    }

    func state(of id: RequestID) -> State {
      guard let request = engine.scheduler.request(id) else { return .ended }
      guard let run = engine.lastRun(of: id) else {
        if (0..<engine.scheduler.waitingCount).contains(where: {
          engine.scheduler.waitingRequest(at: $0).id == id
        }) {
          return request.generatedCount > 0 ? .preempted : .waiting
        }
        return request.isDecoding ? .decoding : .waitingForFamily
      }
      return run.draftCount > 0 ? .guessing : request.isDecoding ? .decoding : .prefilling
    }
  }

  private func results(_ run: Run) async -> [GenerationResult] {
    var results: [GenerationResult] = []
    for stream in run.streams { results.append(await stream.collect()) }
    return results
  }

  @Test func atEveryStepEverythingComesBackAndTheOthersAnswerAsBefore() async throws {
    let undisturbed = try Run()
    var steps = 0
    while undisturbed.engine.step() { steps += 1 }
    let expected = await results(undisturbed).map(\.tokens)
    #expect(undisturbed.engine.metrics.snapshot().preemptionsTotal > 0)
    var states: [State: Int] = [:]
    for step in 0...steps {
      for target in expected.indices {
        let run = try Run()
        for _ in 0..<step { _ = run.engine.step() }
        let id = run.streams[target].id
        let state = run.state(of: id)
        states[state, default: 0] += 1
        let generated = run.engine.scheduler.request(id)?.generatedCount
        run.engine.cancel(id)
        #expect(run.engine.scheduler.request(id) == nil)
        while run.engine.step() {}
        #expect(run.engine.leaks == [], "request \(target), \(state) at step \(step)")
        #expect(run.model.violations == [], "request \(target), \(state) at step \(step)")
        for (index, result) in await results(run).enumerated() {
          let isTarget = index == target && state != .ended
          #expect(result.finishReason == (isTarget ? .cancelled : .length))
          let count = isTarget ? generated ?? 0 : expected[index].count
          #expect(result.tokens == Array(expected[index].prefix(count)), "request \(index) at step \(step)")
        }
      }
    }
    #expect(State.allCases.filter { states[$0] == nil }.map(\.rawValue) == [])
  }

  @Test func shuttingDownAtEveryStepGivesEverythingBackAndEndsEachOnce() async throws {
    for step in 0..<60 {
      let run = try Run()
      for _ in 0..<step { _ = run.engine.step() }
      run.engine.shutdown()
      #expect(run.engine.leaks == [] && !run.engine.step())
      for result in await results(run) {
        #expect(result.finishReason == .shutdown || result.finishReason == .length)
      }
    }
  }

  @Test func droppingTheStreamAtEveryStepGivesEverythingBackWithinOne() throws {
    for step in 0..<60 {
      var run = try Run()
      for _ in 0..<step { _ = run.engine.step() }
      let id = run.streams.remove(at: step % run.streams.count).id
      _ = run.engine.step()
      #expect(run.engine.scheduler.request(id) == nil)
      while run.engine.step() {}
      #expect(run.engine.leaks == [] && run.model.violations == [])
    }
  }
}
