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

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  mutating func configuration(eosTokenIDs: [Int32]) -> EngineConfiguration {
    let policies: [any SchedulingPolicy] = [
      FIFOPolicy(), PriorityPolicy(patience: int(0...10)), ShortestRemainingPolicy(patience: int(0...10)),
      LengthBalancePolicy(patience: int(0...10)), FairSharePolicy(),
    ]
    return EngineConfiguration(
      prefillStep: int(ranges.prefillStep), admission: chance(15) ? .static : .continuous,
      policy: policies[int(0...policies.count - 1)], prefixCaching: chance(75),
      draftTokensMax: chance(60) ? int(1...8) : 0, eosTokenIDs: eosTokenIDs)
  }

  mutating func request() -> GenerationRequest {
    var sampling = SamplingParameters.greedy(
      maxTokens: int(ranges.maxTokens), logprobs: chance(50) ? 3 : nil)
    sampling.ignoreEOS = chance(20)
    if chance(60) {
      sampling.temperature = Float.random(in: 0.2...2, using: &random)
      sampling.seed = random.next()
      if chance(40) { sampling.topK = int(1...vocabularySize) }
      if chance(40) { sampling.topP = Float.random(in: 0.1...1, using: &random) }
      if chance(30) { sampling.minP = Float.random(in: 0...0.3, using: &random) }
    }
    return GenerationRequest(
      promptTokens: prompt(), sampling: sampling, priority: int(-2...2), tenant: ["a", "b", "c"][int(0...2)])
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
