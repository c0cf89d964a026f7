import ApusEngine
import ApusModel

/// Draws requests and engines for `BatchInvariance`.
struct WorkloadGenerator {
  let ranges: BatchInvariance.Ranges
  var random: SplitMix64
  private let vocabularySize: Int
  private let contextLength: Int
  /// What some prompts begin with: their pages are shared.
  private let beginning: [Int32]

  init(ranges: BatchInvariance.Ranges, model: any StepModel, random: SplitMix64) {
    self.ranges = ranges
    self.random = random
    vocabularySize = model.vocabularySize
    contextLength = model.contextLength
    var random = random
    beginning = (0..<ranges.promptLength.upperBound).map { _ in
      Int32.random(in: 0..<Int32(model.vocabularySize), using: &random)
    }
    _ = self.random.next()
  }

  mutating func chance(_ percent: Int) -> Bool { int(0...99) < percent }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  private mutating func float(_ range: ClosedRange<Float>) -> Float {
    Float.random(in: range, using: &random)
  }

  private mutating func token() -> Int32 { Int32(int(0...vocabularySize - 1)) }

  mutating func configuration(eosTokenIDs: [Int32]) -> EngineConfiguration {
    let policies: [any SchedulingPolicy] = [
      FIFOPolicy(), PriorityPolicy(patience: int(0...10)), ShortestRemainingPolicy(patience: int(0...10)),
      LengthBalancePolicy(patience: int(0...10)), FairSharePolicy(),
    ]
    return EngineConfiguration(
      prefillStep: int(ranges.prefillStep),
      interTokenTarget: chance(30) ? .milliseconds(int(1...40)) : nil,
      admission: chance(15) ? .static : .continuous, policy: policies[int(0...policies.count - 1)],
      prefixCaching: chance(75), draftTokensMax: chance(60) ? int(1...8) : 0,
      unreadTokensMax: chance(10) ? int(1...12) : 1 << 16, eosTokenIDs: eosTokenIDs)
  }

  mutating func request() -> GenerationRequest {
    var request = GenerationRequest(
      promptTokens: prompt(), sampling: sampling(), priority: int(-2...2),
      tenant: ["a", "b", "c"][int(0...2)])
    if chance(15) { request.constraint = SumConstraint(divisor: int(2...9), length: int(1...30)) }
    if chance(15) { request.stopCondition = SumStopCondition(divisor: int(2...40)) }
    if chance(5) { request.queueTimeout = .milliseconds(int(1...200)) }
    if chance(5) { request.timeout = .milliseconds(int(1...600)) }
    return request
  }

  private mutating func sampling() -> SamplingParameters {
    var sampling = SamplingParameters.greedy(
      maxTokens: int(ranges.maxTokens), logprobs: chance(50) ? int(0...4) : nil)
    sampling.ignoreEOS = chance(20)
    if chance(60) {
      sampling.temperature = float(0.2...2)
      sampling.seed = random.next()
      if chance(40) { sampling.topK = int(1...vocabularySize) }
      if chance(40) { sampling.topP = float(0.1...1) }
      if chance(30) { sampling.minP = float(0...0.3) }
    }
    if chance(15) { sampling.promptLogprobs = int(0...4) }
    if chance(15) { sampling.minTokens = int(1...sampling.maxTokens!) }
    if chance(15) { sampling.stopTokenIDs = (0...int(0...3)).map { _ in token() } }
    if chance(10) { sampling.repetitionPenalty = float(0.5...2) }
    if chance(10) { sampling.presencePenalty = float(-2...2) }
    if chance(10) { sampling.frequencyPenalty = float(-2...2) }
    if chance(15) {
      for _ in 0...int(0...5) { sampling.logitBias[token()] = float(-8...8) }
    }
    // Two to six tokens repeat themselves soon: drafts that are right.
    if chance(20) { sampling.allowedTokenIDs = (0...int(1...5)).map { _ in token() } }
    return sampling
  }

  private mutating func prompt() -> [Int32] {
    let length = min(int(ranges.promptLength), contextLength)
    // Few tokens, so that ends of texts occur earlier in them and drafts are found.
    let alphabet = chance(50) ? Int32(min(4, vocabularySize)) : Int32(vocabularySize)
    let shared = chance(50) ? int(0...length) : 0
    return beginning.prefix(shared)
      + (shared..<length).map { _ in Int32.random(in: 0..<alphabet, using: &random) }
  }
}
