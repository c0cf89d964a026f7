public import ApusEngine
public import CoreMetrics
import Synchronization

/// Hands an engine's metrics to the program's swift-metrics backend, under the names of `EngineMetrics.families`.
///
/// Stretches of time are timers, fed by `record`, the engine's observer; they cost a dictionary look-up a token
/// on its thread, and what the backend takes. Counters and gauges come from snapshots, whenever `report` is given
/// one: a counter is told what it has grown by since the last. Histograms of tokens are recorders, fed by `record`.
public final class SwiftMetricsReporter: Sendable {
  private struct Reported {
    var metrics: EngineMetrics?
    var counters: [String: (handler: Counter, value: Double)] = [:]
    var gauges: [String: Gauge] = [:]
  }

  private let dimensions: [(String, String)]
  private let factory: any MetricsFactory
  private let timers: [EngineInterval: Timer]
  private let promptTokens: Recorder
  private let generationTokens: Recorder
  private let intervals = Mutex(RequestIntervals())
  private let reported = Mutex(Reported())

  /// - Parameters:
  ///   - labels: dimensions of every metric: the model's name, say.
  ///   - factory: makes the handlers; usually `MetricsSystem.factory`.
  public init(labels: [MetricLabel] = [], factory: any MetricsFactory = MetricsSystem.factory) {
    let dimensions = labels.map { ($0.name, $0.value) }
    self.dimensions = dimensions
    self.factory = factory
    timers = Dictionary(
      uniqueKeysWithValues: EngineInterval.allCases.map {
        ($0, Timer(label: $0.metricName, dimensions: dimensions, factory: factory))
      })
    func recorder(_ name: String) -> Recorder {
      Recorder(label: name, dimensions: dimensions, aggregate: true, factory: factory)
    }
    promptTokens = recorder("apus:request_prompt_tokens")
    generationTokens = recorder("apus:request_generation_tokens")
  }

  /// The engine's observer.
  @Sendable public func record(_ event: EngineEvent) {
    let ended = intervals.withLock { intervals in
      intervals.take(event) { interval, duration in
        timers[interval]!.recordNanoseconds(Int64(clamping: duration.wholeNanoseconds))
      }
    }
    guard let ended else { return }
    promptTokens.record(Int64(ended.prompt))
    generationTokens.record(Int64(ended.generated))
  }

  /// Brings counters and gauges to what the snapshot says. Snapshots older than the last one are left out.
  public func report(_ metrics: EngineMetrics) {
    reported.withLock { reported in
      if let last = reported.metrics, last.stepsTotal > metrics.stepsTotal { return }
      reported.metrics = metrics
      for family in metrics.families {
        switch family.value {
        case .histogram: break
        case .counter(let samples):
          for sample in samples { count(family.name, sample, &reported) }
        case .gauge(let samples):
          for sample in samples where sample.value.isFinite { set(family.name, sample, &reported) }
        }
      }
    }
  }

  /// Reports the engine's snapshot again and again until the task is cancelled.
  public func run(on engine: Engine, every interval: Duration = .seconds(5)) async {
    repeat { report(engine.metrics) } while (try? await Task.sleep(for: interval)) != nil
    report(engine.metrics)
  }

  private func key(_ name: String, _ sample: MetricFamily.Sample) -> String {
    sample.labels.reduce(name) { "\($0),\($1.name)=\($1.value)" }
  }

  private func all(_ sample: MetricFamily.Sample) -> [(String, String)] {
    dimensions + sample.labels.map { ($0.name, $0.value) }
  }

  private func count(_ name: String, _ sample: MetricFamily.Sample, _ reported: inout Reported) {
    // A counter of swift-metrics takes whole numbers: of seconds, those that are full.
    let value = sample.value.rounded(.down)
    let key = key(name, sample)
    var entry =
      reported.counters[key]
      ?? (Counter(label: name, dimensions: all(sample), factory: factory), 0)
    if value > entry.value { entry.handler.increment(by: Int64(value - entry.value)) }
    entry.value = max(entry.value, value)
    reported.counters[key] = entry
  }

  private func set(_ name: String, _ sample: MetricFamily.Sample, _ reported: inout Reported) {
    let key = key(name, sample)
    let gauge = reported.gauges[key] ?? Gauge(label: name, dimensions: all(sample), factory: factory)
    gauge.record(sample.value)
    reported.gauges[key] = gauge
  }
}

extension Duration {
  /// Nanoseconds, what is less than one cut off.
  var wholeNanoseconds: Int128 { attoseconds / 1_000_000_000 }
}
