import ApusEngine
public import ApusKernels
public import ApusModel

/// Runs random workloads through an engine and compares every request, bit for bit, with itself run alone.
///
/// Arrival times, lengths, sampling, constraints, conditions, cancellations, deadlines, forks, completions, shared
/// beginnings, policies, chunk sizes, budgets, drafts and admission modes are random; `makeModel` gives the models, of
/// any number of slots and pages. Works with any `StepModel` that is deterministic.
public struct BatchInvariance {
  /// What a workload may ask of the model.
  public struct Ranges: Sendable {
    public var slotCount = 1...8
    public var requestCount = 1...14
    public var promptLength = 1...40
    public var maxTokens = 1...20
    public var prefillStep = 1...48

    public init() {}
  }

  public var ranges = Ranges()
  public var eosTokenIDs: [Int32]
  /// What draws tokens; nil for the engine's default.
  public var kernels: KernelContext?
  /// A model with so many slots. Called for each workload, and with one slot for each request alone.
  public var makeModel: (_ slotCount: Int) -> any StepModel
  /// Called at the end of a workload with its model, to look for breaches of contract.
  public var inspect: (any StepModel) -> [String] = { _ in [] }
  public let tally = InvarianceTally()

  public init(eosTokenIDs: [Int32] = [], makeModel: @escaping (_ slotCount: Int) -> any StepModel) {
    self.eosTokenIDs = eosTokenIDs
    self.makeModel = makeModel
  }

  /// Runs `workloads` workloads from `seed` on, and returns what differed: nothing, if all is well.
  public func violations(seed: UInt64, workloads: Int) async throws -> [String] {
    var found: [String] = []
    for workload in 0..<workloads where found.isEmpty {
      found = try await run(seed: seed + UInt64(workload)).map { "seed \(seed + UInt64(workload)): \($0)" }
    }
    return found
  }

  private struct Entry {
    var request: GenerationRequest
    var count = 1
    var arrival: Int
    var cancelledAt: Int?
    /// The stream is let go of at this step.
    var droppedAt: Int?
    /// Another request is forked off at this step, with its own seed or this one.
    var forkedAt: Int?
    var forkSeed: UInt64?
    /// Of a fork: tokens that its origin, whose `request` it has, had generated, and the origin's seed.
    var forkedAfter: Int?
    var originSeed: UInt64?
    var stream: TokenStream?
  }

  private func run(seed: UInt64) async throws -> [String] {
    var random = SplitMix64(seed: seed)
    let model = makeModel(Int.random(in: ranges.slotCount, using: &random))
    var generator = WorkloadGenerator(ranges: ranges, model: model, random: random)
    var entries = (0..<Int.random(in: ranges.requestCount, using: &generator.random)).map { _ in
      entry(&generator)
    }
    let configuration = generator.configuration(eosTokenIDs: eosTokenIDs)
    tally.count(configuration)
    let clock = TickingClock(seed: seed).clock
    let engine = try makeCore(model, configuration, clock: clock)
    var step = 0
    var hasWork = true
    while hasWork || entries.contains(where: { $0.arrival >= step }) {
      try submit(&entries, at: step, clock.now(), to: engine)
      for index in entries.indices {
        if entries[index].cancelledAt == step, let stream = entries[index].stream { engine.cancel(stream.id) }
        if entries[index].droppedAt == step, entries[index].stream != nil {
          entries[index].stream = nil
          tally.count(.droppedStreams)
        }
        if entries[index].forkedAt == step, let fork = try fork(entries[index], clock.now(), engine) {
          entries.append(fork)
        }
      }
      hasWork = engine.step()
      step += 1
    }
    tally.count(engine.metrics.snapshot())
    var found = inspect(model) + engine.leaks
    for (index, entry) in entries.enumerated() {
      guard let result = await entry.stream?.collect() else { continue }
      tally.count(entry.request, result)
      if let difference = try await difference(entry, result) {
        found.append("request \(index): \(difference)")
      }
    }
    return found
  }

  private func entry(_ generator: inout WorkloadGenerator) -> Entry {
    let arrival = generator.chance(40) ? 0 : generator.int(0...30)
    return Entry(
      request: generator.request(), count: generator.chance(15) ? generator.int(2...4) : 1, arrival: arrival,
      cancelledAt: generator.chance(15) ? arrival + generator.int(0...20) : nil,
      droppedAt: generator.chance(5) ? arrival + generator.int(1...20) : nil,
      forkedAt: generator.chance(20) ? arrival + generator.int(0...25) : nil,
      forkSeed: generator.chance(50) ? generator.random.next() : nil)
  }

  private func submit(
    _ entries: inout [Entry], at step: Int, _ now: Duration, to engine: EngineCore
  ) throws {
    for index in entries.indices where entries[index].arrival == step && entries[index].forkedAfter == nil {
      let entry = entries[index]
      let streams = try engine.submit([entry.request], count: entry.count, at: now)
      entries[index].stream = streams[0]
      for (place, stream) in streams.enumerated().dropFirst() {
        tally.count(.completions)
        var completion = entry
        completion.request.sampling.seed = stream.seed
        completion.stream = stream
        completion.arrival = -1
        completion.cancelledAt = place == 1 ? entry.cancelledAt : nil
        completion.forkedAt = place == 1 ? entry.forkedAt : nil
        entries.append(completion)
      }
    }
  }

  /// Forks a request that has not ended.
  private func fork(_ entry: Entry, _ now: Duration, _ engine: EngineCore) throws -> Entry? {
    guard entry.forkedAfter == nil, let stream = entry.stream,
      let parent = engine.scheduler.request(stream.id)
    else { return nil }
    var fork = entry
    fork.arrival = -1
    (fork.cancelledAt, fork.droppedAt, fork.forkedAt) = (nil, nil, nil)
    fork.originSeed = stream.seed
    fork.forkedAfter = parent.generatedCount
    fork.stream = try engine.fork(stream.id, seed: entry.forkSeed, at: now)
    tally.count(.forks)
    return fork
  }

  private func makeCore(
    _ model: any StepModel, _ configuration: EngineConfiguration, clock: EngineClock = EngineClock { .zero }
  ) throws -> EngineCore {
    try EngineCore(
      model: model, configuration: configuration, kernels: kernels, clock: clock, makeSeed: { 1 },
      observer: nil)
  }

  /// Runs the request with nobody else, its prompt in one chunk, and says how the results differ.
  private func difference(_ entry: Entry, _ result: GenerationResult) async throws -> String? {
    guard let stream = try alone(entry) else { return "its origin ends earlier alone than it was forked" }
    let alone = await stream.collect()
    switch result.finishReason {
    case .cancelled where entry.cancelledAt == nil: return "was cancelled by nobody"
    case .timedOut(.queue) where entry.request.queueTimeout == nil: return "timed out without a limit"
    case .timedOut(.total) where entry.request.timeout == nil: return "timed out without a limit"
    case .shutdown: return "was shut down by nobody"
    case .cancelled, .timedOut, .unread:
      // What came before.
      return bits(result.tokens) == bits(Array(alone.tokens.prefix(result.tokens.count)))
        ? nil : "tokens before it was ended differ from those alone"
    case .stop, .stopCondition, .complete, .length, .failed: break
    }
    guard describe(result.finishReason) == describe(alone.finishReason) else {
      return "finished with \(result.finishReason), alone with \(alone.finishReason)"
    }
    if bits(result.promptLogprobs) != bits(alone.promptLogprobs) { return "other logprobs of its prompt" }
    return bits(result.tokens) == bits(alone.tokens)
      ? nil : "\(result.tokenIDs) in company, \(alone.tokenIDs) alone, or other logprobs"
  }

  /// The stream of the request, or of the fork, run with nobody else. Nil: there was nothing to fork.
  private func alone(_ entry: Entry) throws -> TokenStream? {
    let engine = try makeCore(
      makeModel(1),
      EngineConfiguration(
        prefillStep: entry.request.promptTokens.count, prefixCaching: false, draftTokensMax: 0,
        eosTokenIDs: eosTokenIDs))
    var request = entry.request
    (request.timeout, request.queueTimeout) = (nil, nil)
    request.sampling.seed = entry.originSeed ?? entry.request.sampling.seed
    var stream = try engine.submit(request, at: .zero)
    if let count = entry.forkedAfter {
      while engine.scheduler.request(stream.id)?.generatedCount ?? count < count, engine.step() {}
      guard engine.scheduler.request(stream.id) != nil else { return nil }
      let fork = try engine.fork(stream.id, seed: entry.forkSeed, at: .zero)
      engine.cancel(stream.id)
      stream = fork
    }
    while engine.step() {}
    return stream
  }

  /// Without the request's number, which is another alone.
  private func describe(_ reason: FinishReason) -> String {
    switch reason {
    case .failed(.invalidLogits(_, let position)): "invalid logits at \(position)"
    case .failed(.nothingAllowed(_, let position)): "nothing allowed at \(position)"
    default: "\(reason)"
    }
  }

  /// Every number of the tokens as bits: equal bits, not equal values.
  private func bits(_ tokens: [GeneratedToken]) -> [[UInt32]] {
    tokens.map { [UInt32(bitPattern: $0.id), UInt32($0.position)] + bits($0.logprobs) }
  }

  private func bits(_ logprobs: [TokenLogprobs?]?) -> [[UInt32]]? { logprobs.map { $0.map(bits) } }

  private func bits(_ logprobs: TokenLogprobs?) -> [UInt32] {
    guard let logprobs else { return [] }
    return [logprobs.chosen.bitPattern]
      + logprobs.top.flatMap { [UInt32(bitPattern: $0.id), $0.logprob.bitPattern] }
  }
}
