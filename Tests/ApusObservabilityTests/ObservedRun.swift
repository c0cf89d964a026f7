import ApusEngine
import ApusModel
import Synchronization
import TestSupport

/// A clock that a test moves.
final class ManualClock: Sendable {
  private let time = Mutex(Duration.zero)

  var now: Duration { time.withLock { $0 } }
  func advance(_ duration: Duration) { time.withLock { $0 += duration } }
  /// Moves by a little with each look, as real ones do.
  var clock: EngineClock {
    EngineClock {
      self.time.withLock {
        $0 += .nanoseconds(17)
        return $0
      }
    }
  }
}

/// A random run of an engine on a fake model and a clock that steps move: policies, chunks, preemption, prefix hits,
/// guesses, forks, cancellations, limits of time.
final class ObservedRun {
  let model: FakeStepModel
  let core: EngineCore
  let clock = ManualClock()
  private var random: SplitMix64
  private(set) var streams: [TokenStream] = []
  /// Submitted and finished as the streams tell, by request.
  private(set) var results: [RequestID: GenerationResult] = [:]

  init(seed: UInt64, observer: @escaping @Sendable (EngineEvent) -> Void) throws {
    var random = SplitMix64(seed: seed)
    let slots = Int.random(in: 1...6, using: &random)
    let pages = Int.random(in: 16...(16 + 5 * slots), using: &random)
    model = FakeStepModel(
      slotCount: slots, contextLength: 64, rowsPerStepMax: 48, pageSize: 4, pageCount: pages)
    let clock = self.clock
    var costs = SplitMix64(seed: seed ^ 1)
    model.onForward = { batch in
      clock.advance(.microseconds(200 + 30 * batch.rowCount + Int.random(in: 0...50, using: &costs)))
    }
    let policies: [any SchedulingPolicy] = [
      FIFOPolicy(), PriorityPolicy(), ShortestRemainingPolicy(), FairSharePolicy(),
    ]
    core = try EngineCore(
      model: model,
      configuration: EngineConfiguration(
        prefillStep: Int.random(in: 1...32, using: &random),
        policy: policies[Int.random(in: 0..<policies.count, using: &random)],
        prefixCaching: Bool.random(using: &random), draftTokensMax: Bool.random(using: &random) ? 4 : 0,
        eosTokenIDs: [3]),
      kernels: nil, clock: clock.clock, makeSeed: { 77 }, observer: observer)
    self.random = random
  }

  func request() -> GenerationRequest {
    let alphabet = Int32(Bool.random(using: &random) ? 4 : 61)
    var sampling = SamplingParameters(
      temperature: Bool.random(using: &random) ? 0 : 0.9, maxTokens: Int.random(in: 1...20, using: &random),
      logprobs: Bool.random(using: &random) ? 2 : nil)
    if Bool.random(using: &random) { sampling.seed = random.next() }
    if Int.random(in: 0..<4, using: &random) == 0 {
      sampling.presencePenalty = 0.5
      sampling.logitBias = [5: 1.5, 7: -0.1]
      sampling.minTokens = 1
    }
    return GenerationRequest(
      promptTokens: (0..<Int.random(in: 1...40, using: &random)).map { _ in
        Int32.random(in: 0..<alphabet, using: &random)
      }, sampling: sampling, priority: Int.random(in: 0...2, using: &random),
      tenant: Bool.random(using: &random) ? "a" : "b",
      timeout: Int.random(in: 0..<8, using: &random) == 0 ? .milliseconds(4) : nil)
  }

  /// Submits requests over time and steps until all have ended; `afterStep` is called after each.
  func runToEnd(requests: Int = 12, afterStep: () -> Void = {}) async throws {
    var left = requests
    var hasWork = true
    while hasWork || left > 0 {
      while left > 0, Int.random(in: 0..<3, using: &random) > 0 {
        // Calls come while a step runs.
        let time = clock.now - .microseconds(Int.random(in: 0...100, using: &random))
        let count = Int.random(in: 0..<5, using: &random) == 0 ? 2 : 1
        streams += try core.submit([request()], count: count, at: max(.zero, time))
        left -= 1
      }
      if let stream = streams.randomElement(using: &random) {
        switch Int.random(in: 0..<30, using: &random) {
        case 0: core.cancel(stream.id)
        case 1, 2:
          if let fork = try? core.fork(stream.id, seed: random.next(), at: clock.now) { streams.append(fork) }
        default: break
        }
      }
      hasWork = core.step()
      afterStep()
    }
    for stream in streams { results[stream.id] = await stream.collect() }
  }
}
