import AllocationCounter
import ApusEngine
import ApusKernels
import ApusModel

/// A few requests, all of which decode while their steps are counted.
struct Scenario {
  let name: String
  var draftTokensMax = 0
  var prefillStep = 64
  var clock = EngineClock.monotonic()
  /// Steps before the count, after which all prompts have run and every buffer has met its size, and those counted.
  var warmUp = 70
  var counted = 100
  /// Requests that wait behind those that decode.
  var waitingCount = 0
  var makeRequest: (_ index: Int) -> GenerationRequest

  static let slotCount = 8

  /// Runs steps, the streams read between them; how often each counted step allocated.
  func run(
    _ weights: PackedWeights, _ context: KernelContext, isTracing: Bool, on actor: isolated CheckActor
  ) async throws -> [Int] {
    let session = try TransformerSession(
      weights, context: context, slotCount: Self.slotCount, contextLength: 512, rowsPerStepMax: 128)
    let engine = try EngineCore(
      model: session,
      configuration: EngineConfiguration(prefillStep: prefillStep, draftTokensMax: draftTokensMax),
      kernels: context, clock: clock, makeSeed: { 1 }, observer: nil)
    let streams = try engine.submit((0..<Self.slotCount + waitingCount).map(makeRequest), at: .zero)
    let readers = streams.prefix(Self.slotCount).map { $0.makeAsyncIterator() }
    var read = Array(repeating: 0, count: readers.count)
    var counts: [Int] = []
    counts.reserveCapacity(counted)
    for step in 0..<warmUp + counted {
      let isCounted = step >= warmUp
      if isTracing && isCounted { allocation_trace(true) }
      let before = allocation_count()
      _ = engine.step()
      let after = allocation_count()
      allocation_trace(false)
      if isCounted { counts.append(Int(after - before)) }
      // From then on what there is is read, so that no buffer grows: on this thread, as others would count too.
      for (index, reader) in readers.enumerated() where step >= 20 {
        let generated = engine.scheduler.request(streams[index].id)?.generatedCount ?? 0
        while read[index] < generated {
          _ = await reader.next(isolation: actor)
          read[index] += 1
        }
      }
    }
    withExtendedLifetime(streams) {}
    return counts
  }
}

extension Scenario {
  static var all: [Scenario] { [plain, sampled, changed, guessed, constrained, chunked] }

  private static func prompt(_ index: Int, count: Int = 12) -> [Int32] {
    (0..<count).map { Int32(($0 * 37 + index * 11) % 250 + 3) }
  }

  private static func request(_ index: Int, _ sampling: SamplingParameters) -> GenerationRequest {
    var sampling = sampling
    sampling.ignoreEOS = true
    return GenerationRequest(
      promptTokens: prompt(index), sampling: sampling, tenant: "a tenant with a long name")
  }

  private static var plain: Scenario {
    Scenario(name: "greedy, others waiting", waitingCount: 4) { request($0, .greedy()) }
  }

  private static var sampled: Scenario {
    Scenario(name: "sampled by top-k, top-p and min-p") { index in
      var sampling = SamplingParameters(temperature: 0.9, seed: UInt64(index))
      if index % 2 == 0 { sampling.topK = 40 }
      if index % 3 == 0 { sampling.topP = 0.9 }
      if index % 4 == 0 { sampling.minP = 0.02 }
      return request(index, sampling)
    }
  }

  private static var changed: Scenario {
    Scenario(name: "biases, penalties, allowed tokens, a minimum length") { index in
      var sampling = SamplingParameters(temperature: 1, seed: UInt64(index))
      sampling.logitBias = [5: 2, 90: -3]
      sampling.repetitionPenalty = 1.2
      sampling.presencePenalty = 0.5
      sampling.frequencyPenalty = 0.25
      sampling.minTokens = 150
      sampling.stopTokenIDs = [7, 8]
      if index % 2 == 0 { sampling.allowedTokenIDs = (0..<200).map { Int32($0) } }
      return request(index, sampling)
    }
  }

  /// A few tokens in turn, which are guessed; by costs that are not measured, so that it is always the same guesses.
  /// Up to five tokens a step, so fewer steps: none ends while they are counted.
  private static var guessed: Scenario {
    Scenario(
      name: "guesses", draftTokensMax: 4, clock: EngineClock { .zero }, warmUp: 30, counted: 60
    ) { index in
      var request = request(index, .greedy(maxTokens: 480))
      request.promptTokens = (0..<12).map { [10, 20, 30, 40][$0 % 4] + Int32(index) }
      request.sampling.allowedTokenIDs = [10, 20, 30, 40].map { $0 + Int32(index) }
      return request
    }
  }

  private static var constrained: Scenario {
    Scenario(name: "constraints and stop conditions") { index in
      var request = request(index, SamplingParameters(temperature: 1, seed: UInt64(index)))
      request.constraint = Alternating()
      request.stopCondition = Never()
      return request
    }
  }
}

extension Scenario {
  /// What the last request's prompt takes is there before its first chunk.
  private static var chunked: Scenario {
    Scenario(name: "chunks of a prompt beside decoding", prefillStep: 2) { index in
      var request = request(index, .greedy())
      if index == slotCount - 1 { request.promptTokens = prompt(index, count: 400) }
      return request
    }
  }
}

/// Even tokens and odd ones in turn. Holds an array, which must not be copied, and is too large to lie in its box's
/// owner.
private struct Alternating: TokenConstraint {
  private var masks: [[UInt32]] = [0x5555_5555, 0xAAAA_AAAA].map { Array(repeating: $0, count: 1) }
  private var state = 0
  private var counts = [0, 0]
  private var padding = (0, 0, 0, 0)

  var isComplete: Bool { false }

  mutating func allowedTokens(into mask: inout TokenMask) {
    for index in mask.words.indices { mask.words[index] = masks[state][0] }
  }

  mutating func advance(_ token: Int32) {
    counts[state] += 1
    state = 1 - state
  }
}

private struct Never: StopCondition {
  private var recent = [0, 0] as [Int32]
  private var padding = (0, 0, 0, 0)

  mutating func shouldStop(after token: Int32) -> Bool {
    recent[0] = recent[1]
    recent[1] = token
    return false
  }
}
