import ApusEngine
import Testing

struct MetricsTests {
  @Test func histogramQuantilesAreWithinAThirtySecondOfTheTruth() throws {
    var histogram = LatencyHistogram()
    let milliseconds = (1...1000).map { Double($0) }
    for value in milliseconds.shuffled() { histogram.record(.microseconds(Int64(value * 1000))) }
    #expect(histogram.count == 1000)
    #expect(abs(histogram.mean - 0.5005) <= 1e-9)
    for q in [0.01, 0.5, 0.9, 0.99, 1] {
      let truth = milliseconds[Int(q * 1000) - 1] / 1000
      let estimate = try #require(histogram.quantile(q))
      #expect(abs(estimate - truth) <= truth / 32, "quantile \(q): \(estimate)")
    }
    #expect(histogram.quantile(1) ?? 2 <= 1)
  }

  @Test func histogramTakesAnyDuration() {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.5) == nil)
    for duration in [Duration.zero, .seconds(-1), .nanoseconds(15), .nanoseconds(16), .seconds(Int64.max)] {
      histogram.record(duration)
    }
    #expect(histogram.count == 5)
    #expect(histogram.quantile(0) == 0)
  }

  private func usage(_ seconds: Int) -> Usage {
    Usage(
      promptTokenCount: 1, completionTokenCount: 1, seed: 0,
      timing: RequestTiming(queued: .zero, finished: .seconds(seconds)))
  }

  @Test func countsStepsTokensAndUtilization() throws {
    var driver = SchedulerDriver(slots: 4, prefillStep: 8)
    var metrics = EngineMetrics(slotCount: 4)
    try driver.submit(1, prompt: 3, maxTokens: 2)
    driver.step()
    metrics.recordStep(driver.plan, StepOutcome(), duration: .seconds(1))
    metrics.recordFirstToken(sinceQueued: .seconds(1))
    let early = metrics
    try driver.submit(2, prompt: 1, maxTokens: 1)
    driver.step()
    metrics.recordStep(driver.plan, StepOutcome(), duration: .seconds(3))
    metrics.recordFirstToken(sinceQueued: .seconds(3))
    metrics.recordToken(sinceLast: .seconds(3))
    metrics.recordFinish(.length, usage(4))
    metrics.recordFinish(.cancelled, usage(100))
    #expect(metrics.promptTokensTotal == 4)
    #expect(metrics.decodeRowsTotal == 1)
    #expect(metrics.generationTokensTotal == 3)
    #expect(metrics.tokensPerSecond == 0.75)
    // One slot for a second and two for three, of four slots for four seconds.
    #expect(metrics.slotUtilization == 7.0 / 16.0)
    #expect(metrics.slotUtilization(since: early) == 0.5)
    #expect(metrics.slotUtilization(since: metrics) == 0)
    #expect(metrics.averageLatency == 4)
    #expect(metrics.requestsLength == 1)
    #expect(metrics.requestsCancelled == 1)
  }
}
