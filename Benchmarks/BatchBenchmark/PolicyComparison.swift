import ApusEngine
import ApusModel
import BenchmarkSupport

/// One trace under each scheduling policy, at one batch size: who waits, and what it does to the whole.
struct PolicyComparison {
  private static let promptTokens = 16...256
  private static let generatedTokens = 16...128
  private static let seed: UInt64 = 2024

  let policies: [any SchedulingPolicy]
  let requestCount: Int
  let batchSize: Int

  /// The table, and whether every request got the same tokens under all policies.
  func measure(
    _ weights: PackedWeights, title: String, setup: BenchmarkSetup, console: Console
  ) async throws -> (table: String, tokensIdentical: Bool) {
    let lengths = RequestLengths.mix(
      count: requestCount, promptTokens: Self.promptTokens, generatedTokens: Self.generatedTokens,
      seed: Self.seed)
    let trace = LoadTrace.random(
      lengths, vocabularySize: weights.configuration.vocabularySize, seed: Self.seed)
    let runner = LoadRunner(
      weights, context: setup.context, slotCount: batchSize,
      contextLength: lengths.map { $0.promptTokens + $0.generatedTokens }.max() ?? 1,
      kvType: setup.options.kvType)
    var table = LoadTable("policy")
    var tokens: [[Int32]]?
    var isIdentical = true
    for policy in policies {
      console.progress.show("serving, \(policy.name)")
      let (figures, results) = try await runner.run(
        trace,
        EngineConfiguration(
          prefillStep: Workload.prefillStep, policy: policy, prefixCaching: false, draftTokensMax: 0))
      table.append(policy.name, figures)
      let drawn = results.map(\.tokenIDs)
      isIdentical = isIdentical && (tokens ?? drawn) == drawn
      tokens = drawn
    }
    let heading = """
      \(title), policies at batch size \(batchSize)
      \(requestCount) requests at once, \(grouped(trace.promptTokens)) prompt and \
      \(grouped(trace.outputTokens)) output tokens, one in four of them urgent, three tenants


      """
    return (heading + table.table.text(), isIdentical)
  }
}
