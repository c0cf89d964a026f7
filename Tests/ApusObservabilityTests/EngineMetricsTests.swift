import ApusEngine
import ApusModel
import ApusObservability
import Foundation
import TestSupport
import Testing

struct EngineMetricsTests {
  @Test(arguments: 0..<20)
  func theSnapshotAgreesWithWhatRequestsWereGiven(seed: UInt64) async throws {
    let run = try ObservedRun(seed: seed) { _ in }
    var last = run.core.metrics.snapshot()
    try await run.runToEnd {
      let now = run.core.metrics.snapshot()
      // Counters only grow, at every step.
      for (earlier, later) in zip(last.families, now.families) {
        guard case .counter(let before) = earlier.value, case .counter(let after) = later.value else {
          continue
        }
        for (one, other) in zip(before, after) { #expect(one.value <= other.value, "\(later.name)") }
      }
      #expect(now.prefixCacheHits <= now.prefixCacheQueries)
      #expect((0...1).contains(now.kvCacheUsage))
      last = now
    }
    let metrics = run.core.metrics.snapshot()
    let results = run.results.values
    #expect(metrics.requestsTotal == results.count)
    #expect(metrics.generationTokensTotal == results.reduce(0) { $0 + $1.tokens.count })
    #expect(metrics.preemptionsTotal == results.reduce(0) { $0 + $1.usage.preemptionCount })
    let started = results.filter { !$0.tokens.isEmpty }
    #expect(metrics.requestPromptTokensTotal == started.reduce(0) { $0 + $1.usage.promptTokenCount })
    #expect(metrics.requestCachedTokensTotal == started.reduce(0) { $0 + $1.usage.cachedTokenCount })
    let natural = results.filter { $0.finishReason.isNatural }
    #expect(metrics.requestPromptTokens.count == UInt64(natural.count))
    #expect(
      metrics.requestGenerationTokens.sum == Double(natural.reduce(0) { $0 + $1.usage.completionTokenCount }))
    #expect(metrics.iterationTokens.count == UInt64(metrics.stepsTotal))
    #expect(
      metrics.iterationTokens.sum == Double(metrics.promptTokensTotal + metrics.generationTokensTotal))
    for histogram in [metrics.timeToFirstToken, metrics.interTokenLatency, metrics.requestQueueTime] {
      #expect(
        histogram.buckets.count == histogram.count && abs(histogram.buckets.sum - histogram.sum) <= 1e-9)
    }
    let ended =
      metrics.requestsStopped + metrics.requestsLength + metrics.requestsCancelled + metrics.requestsTimedOut
      + metrics.requestsFailed
    #expect(ended == results.count && metrics.requestsRunning == 0 && metrics.requestsWaiting == 0)
  }

  @Test func aForkThatFindsAllOfItsOriginFindsNoMoreThanItLookedFor() async throws {
    let core = try EngineCore(
      model: FakeStepModel(), configuration: EngineConfiguration(draftTokensMax: 0), kernels: nil,
      clock: .monotonic(), makeSeed: { 1 }, observer: nil)
    let stream = try core.submit(
      GenerationRequest(promptTokens: [1, 2], sampling: .greedy(maxTokens: 30)), at: .zero)
    for _ in 0..<20 { _ = core.step() }
    let fork = try core.fork(stream.id, seed: nil, at: .zero)
    while core.step() {}
    let results = [await stream.collect(), await fork.collect()]
    let metrics = core.metrics.snapshot()
    #expect(metrics.prefixCacheHits == results[1].usage.cachedTokenCount && metrics.prefixCacheHits > 15)
    #expect(metrics.prefixCacheQueries == 2 + 2 + 30 - results[1].tokens.count)
  }

  @Test func logitsThatAreNotFiniteCountAsCorrupted() async throws {
    let model = FakeStepModel()
    model.isPoisoned = { $0.count == 3 }
    let core = try EngineCore(
      model: model, configuration: EngineConfiguration(), kernels: nil, clock: .monotonic(), makeSeed: { 1 },
      observer: nil)
    let stream = try core.submit(GenerationRequest(promptTokens: [1, 2]), at: .zero)
    while core.step() {}
    _ = await stream.collect()
    let metrics = core.metrics.snapshot()
    #expect(metrics.requestsFailed == 1 && metrics.requestsCorrupted == 1)
  }

  @Test func theSnapshotNeverWaitsForAStep() async throws {
    let model = FakeStepModel(slotCount: 1)
    let started = DispatchSemaphore(value: 0)
    let mayEnd = DispatchSemaphore(value: 0)
    model.onForward = { _ in
      started.signal()
      mayEnd.wait()
    }
    let engine = try Engine(model: model)
    let stream = try await engine.generate(
      GenerationRequest(promptTokens: [1, 2], sampling: .greedy(maxTokens: 1)))
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        started.wait()
        continuation.resume()
      }
    }
    // The step stands still until it is let go on below.
    #expect(engine.metrics.requestsRunning == 1)
    #expect(engine.metrics.prometheusText().contains("apus:num_requests_running 1\n"))
    mayEnd.signal()
    #expect(await stream.collect().tokens.count == 1)
  }
}
