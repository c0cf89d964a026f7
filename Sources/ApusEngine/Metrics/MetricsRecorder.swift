import Synchronization

/// The engine's metrics behind a lock, so that reading them never waits for a step.
package final class MetricsRecorder: Sendable {
  private let metrics: Mutex<EngineMetrics>

  package init(slotCount: Int, pageCount: Int = 0, contextLength: Int = 0) {
    metrics = Mutex(
      EngineMetrics(slotCount: slotCount, pageCount: pageCount, contextLength: contextLength))
  }

  package func snapshot() -> EngineMetrics { metrics.withLock { $0 } }

  func update(_ body: (inout EngineMetrics) -> Void) { metrics.withLock { body(&$0) } }
}
