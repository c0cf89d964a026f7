import ApusEngine
import ApusModel
import ApusObservability
import CoreMetrics
import Synchronization
import TestSupport
import Testing

/// Keeps what handlers are told, by label and dimensions.
private final class TestFactory: MetricsFactory {
  struct State {
    var counters: [String: Int64] = [:]
    var values: [String: [Double]] = [:]
  }
  let state = Mutex(State())

  var counters: [String: Int64] { state.withLock { $0.counters } }
  var values: [String: [Double]] { state.withLock { $0.values } }

  private final class Handler: CounterHandler, RecorderHandler, TimerHandler, FloatingPointCounterHandler {
    let key: String
    let factory: TestFactory

    init(_ key: String, _ factory: TestFactory) {
      self.key = key
      self.factory = factory
    }

    func increment(by amount: Int64) { factory.state.withLock { $0.counters[key, default: 0] += amount } }
    func increment(by amount: Double) {
      factory.state.withLock { $0.counters[key, default: 0] += Int64(amount) }
    }
    func reset() {}
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { factory.state.withLock { $0.values[key, default: []].append(value) } }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) * 1e-9) }
  }

  private func handler(_ label: String, _ dimensions: [(String, String)]) -> Handler {
    Handler(dimensions.reduce(label) { "\($0) \($1.0)=\($1.1)" }, self)
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    handler(label, dimensions)
  }
  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    handler(label, dimensions)
  }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    handler(label, dimensions)
  }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}

struct SwiftMetricsReporterTests {
  @Test func timersCountersAndGaugesSayWhatTheSnapshotSays() async throws {
    let factory = TestFactory()
    let reporter = SwiftMetricsReporter(labels: [MetricLabel("model_name", "m")], factory: factory)
    let run = try ObservedRun(seed: 5, observer: reporter.record)
    try await run.runToEnd { reporter.report(run.core.metrics.snapshot()) }
    let metrics = run.core.metrics.snapshot()
    let counters = factory.counters
    #expect(counters["apus:generation_tokens_total model_name=m"] == Int64(metrics.generationTokensTotal))
    #expect(
      counters["apus:request_success_total model_name=m finished_reason=length"]
        == Int64(metrics.requestsLength))
    #expect(counters["apus:num_preemptions_total model_name=m"] ?? 0 == Int64(metrics.preemptionsTotal))
    let values = factory.values
    #expect(values["apus:num_requests_running model_name=m"]?.last == 0)
    for (name, histogram) in [
      ("time_to_first_token_seconds", metrics.timeToFirstToken),
      ("inter_token_latency_seconds", metrics.interTokenLatency),
      ("e2e_request_latency_seconds", metrics.e2eRequestLatency),
      ("request_queue_time_seconds", metrics.requestQueueTime),
      ("request_inference_time_seconds", metrics.requestInferenceTime),
      ("request_prefill_time_seconds", metrics.requestPrefillTime),
      ("request_decode_time_seconds", metrics.requestDecodeTime),
    ] {
      let recorded = values["apus:\(name) model_name=m"] ?? []
      #expect(recorded.count == Int(histogram.count), "\(name)")
      #expect(abs(recorded.reduce(0, +) - histogram.sum) <= 1e-6, "\(name)")
    }
    #expect(
      values["apus:request_generation_tokens model_name=m"]?.reduce(0, +)
        == metrics.requestGenerationTokens.sum)
  }

  @Test func anOlderSnapshotTakesNothingBack() throws {
    let factory = TestFactory()
    let reporter = SwiftMetricsReporter(factory: factory)
    var metrics = EngineMetrics(slotCount: 1)
    metrics.recordSubmission()
    let older = metrics
    metrics.recordSubmission()
    metrics.recordQueues(running: 1, waiting: 0)
    metrics.recordStep(StepPlan(), StepOutcome(), duration: .seconds(2))
    reporter.report(metrics)
    reporter.report(older)
    reporter.report(metrics)
    #expect(factory.counters["apus:num_requests_total"] == 2)
    #expect(factory.values["apus:num_requests_running"] == [1, 1])
    #expect(factory.counters["apus:step_seconds_total"] == 2)
  }
}
