package import ApusEngine

/// When a client whose request found the queue full may try again.
package enum RetryEstimate {
  static let secondsMax = 60

  /// Seconds until about half of those that wait have had their turn, by what requests took so far; at least
  /// 1.
  package static func seconds(_ metrics: EngineMetrics) -> Int {
    let running = metrics.requestDecodeTime.mean + metrics.requestPrefillTime.mean
    let turns = Double(metrics.requestsWaiting) / Double(2 * max(1, metrics.slotCount))
    return min(max(1, Int((running * turns).rounded(.up))), secondsMax)
  }
}
