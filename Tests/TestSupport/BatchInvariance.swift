import ApusEngine
public import ApusKernels
public import ApusModel

/// Runs random workloads through an engine and compares every request, bit for bit, with itself run alone.
///
/// Arrival times, lengths, sampling, cancellations, chunk sizes and admission modes are random; `makeModel`
/// gives the models, of any number of slots. Works with any `StepModel` that is deterministic.
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
    var arrival: Int
    var cancelledAt: Int?
    var stream: TokenStream?
  }

  private func run(seed: UInt64) async throws -> [String] {
    var random = SplitMix64(seed: seed)
    let model = makeModel(Int.random(in: ranges.slotCount, using: &random))
    var entries = (0..<Int.random(in: ranges.requestCount, using: &random)).map { _ in
      randomEntry(vocabularySize: model.vocabularySize, contextLength: model.contextLength, random: &random)
    }
    let engine = try makeCore(
      model, prefillStep: Int.random(in: ranges.prefillStep, using: &random),
      admission: Int.random(in: 0..<4, using: &random) == 0 ? .static : .continuous)
    var step = 0
    var hasWork = true
    while hasWork || entries.contains(where: { $0.arrival >= step }) {
      for index in entries.indices where entries[index].arrival == step {
        entries[index].stream = try engine.submit(entries[index].request, at: .zero)
      }
      for entry in entries where entry.cancelledAt == step {
        if let stream = entry.stream { engine.cancel(stream.id) }
      }
      hasWork = engine.step()
      step += 1
    }
    var found = inspect(model)
    for (index, entry) in entries.enumerated() {
      guard let result = await entry.stream?.collect() else { continue }
      if let difference = try await difference(entry, result) {
        found.append("request \(index): \(difference)")
      }
    }
    return found
  }

  private func makeCore(
    _ model: any StepModel, prefillStep: Int, admission: AdmissionMode
  ) throws -> EngineCore {
    try EngineCore(
      model: model,
      configuration: EngineConfiguration(
        prefillStep: prefillStep, admission: admission, eosTokenIDs: eosTokenIDs),
      kernels: kernels, clock: EngineClock { .zero }, makeSeed: { 1 }, observer: nil)
  }

  /// Runs the request with nobody else, its prompt in one chunk, and says how the results differ.
  private func difference(_ entry: Entry, _ result: GenerationResult) async throws -> String? {
    let engine = try makeCore(
      makeModel(1), prefillStep: entry.request.promptTokens.count, admission: .continuous)
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

  private func randomEntry(vocabularySize: Int, contextLength: Int, random: inout SplitMix64) -> Entry {
    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    let promptLength = min(Int.random(in: ranges.promptLength, using: &random), contextLength)
    var sampling = SamplingParameters.greedy(
      maxTokens: Int.random(in: ranges.maxTokens, using: &random), logprobs: chance(50) ? 3 : nil)
    sampling.ignoreEOS = chance(20)
    if chance(60) {
      sampling.temperature = Float.random(in: 0.2...2, using: &random)
      sampling.seed = random.next()
      if chance(40) { sampling.topK = Int.random(in: 1...vocabularySize, using: &random) }
      if chance(40) { sampling.topP = Float.random(in: 0.1...1, using: &random) }
      if chance(30) { sampling.minP = Float.random(in: 0...0.3, using: &random) }
    }
    let arrival = chance(40) ? 0 : Int.random(in: 0...30, using: &random)
    return Entry(
      request: GenerationRequest(
        promptTokens: (0..<promptLength).map { _ in
          Int32.random(in: 0..<Int32(vocabularySize), using: &random)
        },
        sampling: sampling),
      arrival: arrival, cancelledAt: chance(20) ? arrival + Int.random(in: 0...20, using: &random) : nil)
  }
}
