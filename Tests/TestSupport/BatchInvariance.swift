import ApusEngine
public import ApusKernels
public import ApusModel

/// Runs random workloads through an engine and compares every request, bit for bit, with itself run alone.
///
/// Arrival times, lengths, sampling, cancellations, forks, completions, shared beginnings, policies, chunk sizes,
/// drafts and admission modes are random; `makeModel` gives the models, of any number of slots and pages. Works with
/// any `StepModel` that is deterministic.
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
  /// What all workloads together met, so that a test can tell that they met it.
  public final class Tally {
    public internal(set) var preemptions = 0
    public internal(set) var reusedPositions = 0
    public internal(set) var acceptedDrafts = 0
    public internal(set) var forks = 0
  }
  public let tally = Tally()

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
    /// What is run alone: of a fork, its origin's prompt and tokens as one prompt.
    var request: GenerationRequest
    var count = 1
    var arrival: Int
    var cancelledAt: Int?
    /// Another request is forked off at this step, with its own seed or this one.
    var forkedAt: Int?
    var forkSeed: UInt64?
    var stream: TokenStream?
  }

  private func run(seed: UInt64) async throws -> [String] {
    var random = SplitMix64(seed: seed)
    let model = makeModel(Int.random(in: ranges.slotCount, using: &random))
    var generator = WorkloadGenerator(ranges: ranges, model: model, random: random)
    var entries = (0..<Int.random(in: ranges.requestCount, using: &generator.random)).map { _ in
      let arrival = generator.chance(40) ? 0 : generator.int(0...30)
      return Entry(
        request: generator.request(), count: generator.chance(15) ? generator.int(2...4) : 1,
        arrival: arrival, cancelledAt: generator.chance(20) ? arrival + generator.int(0...20) : nil,
        forkedAt: generator.chance(15) ? arrival + generator.int(0...25) : nil,
        forkSeed: generator.chance(50) ? generator.random.next() : nil)
    }
    let engine = try makeCore(model, generator.configuration(eosTokenIDs: eosTokenIDs))
    var results: [Entry] = []
    var step = 0
    var hasWork = true
    while hasWork || entries.contains(where: { $0.arrival >= step }) {
      for index in entries.indices where entries[index].arrival == step {
        let streams = try engine.submit([entries[index].request], count: entries[index].count, at: .zero)
        entries[index].stream = streams[0]
        for (place, stream) in streams.enumerated().dropFirst() {
          var completion = entries[index]
          completion.request.sampling.seed = stream.seed
          completion.stream = stream
          completion.cancelledAt = place == 1 ? entries[index].cancelledAt : nil
          results.append(completion)
        }
      }
      for entry in entries + results where entry.cancelledAt == step {
        if let stream = entry.stream { engine.cancel(stream.id) }
      }
      for entry in entries where entry.forkedAt == step {
        if let fork = try fork(entry, engine) { results.append(fork) }
      }
      hasWork = engine.step()
      step += 1
    }
    count(engine.metrics.snapshot())
    var found = inspect(model) + engine.leaks
    for (index, entry) in (entries + results).enumerated() {
      guard let result = await entry.stream?.collect() else { continue }
      if let difference = try await difference(entry, result) {
        found.append("request \(index): \(difference)")
      }
    }
    return found
  }

  private func count(_ metrics: EngineMetrics) {
    tally.preemptions += metrics.preemptionsTotal
    tally.reusedPositions += metrics.prefixCacheHits
    tally.acceptedDrafts += metrics.specDecodeAcceptedTokens
  }

  /// Forks a request that has not ended.
  private func fork(_ entry: Entry, _ engine: EngineCore) throws -> Entry? {
    guard let id = entry.stream?.id, let parent = engine.scheduler.request(id) else { return nil }
    var fork = entry
    fork.request.promptTokens = parent.tokens
    fork.request.sampling.seed = entry.forkSeed ?? entry.stream?.seed
    fork.request.sampling.maxTokens = parent.maxTokens - parent.generatedCount
    fork.cancelledAt = nil
    fork.stream = try engine.fork(id, seed: entry.forkSeed, at: .zero)
    tally.forks += 1
    return fork
  }

  private func makeCore(_ model: any StepModel, _ configuration: EngineConfiguration) throws -> EngineCore {
    try EngineCore(
      model: model, configuration: configuration, kernels: kernels, clock: EngineClock { .zero },
      makeSeed: { 1 }, observer: nil)
  }

  /// Runs the request with nobody else, its prompt in one chunk, and says how the results differ.
  private func difference(_ entry: Entry, _ result: GenerationResult) async throws -> String? {
    let engine = try makeCore(
      makeModel(1),
      EngineConfiguration(
        prefillStep: entry.request.promptTokens.count, prefixCaching: false, draftTokensMax: 0,
        eosTokenIDs: eosTokenIDs))
    let stream = try engine.submit(entry.request, at: .zero)
    while engine.step() {}
    let alone = await stream.collect()
    if result.finishReason == .cancelled {
      // What came before the cancellation.
      guard entry.cancelledAt != nil else { return "was cancelled by nobody" }
      return bits(result.tokens) == bits(Array(alone.tokens.prefix(result.tokens.count)))
        ? nil : "tokens before its cancellation differ from those alone"
    }
    guard result.finishReason == alone.finishReason else {
      return "finished with \(result.finishReason), alone with \(alone.finishReason)"
    }
    return bits(result.tokens) == bits(alone.tokens)
      ? nil : "\(result.tokenIDs) in company, \(alone.tokenIDs) alone, or other logprobs"
  }

  /// Every number of the tokens as bits: equal bits, not equal values.
  private func bits(_ tokens: [GeneratedToken]) -> [[UInt32]] {
    tokens.map { token in
      var words = [UInt32(bitPattern: token.id), UInt32(token.position)]
      guard let logprobs = token.logprobs else { return words }
      words.append(logprobs.chosen.bitPattern)
      for alternative in logprobs.top {
        words += [UInt32(bitPattern: alternative.id), alternative.logprob.bitPattern]
      }
      return words
    }
  }
}
