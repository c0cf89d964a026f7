import ApusEngine

/// Tells each measured stretch of a request's life as the event that ends it comes, and its tokens at its end.
struct RequestIntervals: Sendable {
  private struct Times {
    var submitted: Duration
    var admitted: Duration?
    var firstToken: Duration?
    var lastToken: Duration?
    var promptTokens: Int
    var generatedTokens = 0
  }

  private var requests: [RequestID: Times] = [:]

  /// - Returns: prompt and generated tokens of a request that ended by itself just now.
  mutating func take(
    _ event: EngineEvent, _ measured: (EngineInterval, Duration) -> Void
  ) -> (prompt: Int, generated: Int)? {
    switch event {
    case .reused, .preempted, .step: break
    case .submitted(let arrival, let time):
      requests[arrival.id] = Times(submitted: time, promptTokens: arrival.promptTokens.count)
    case .admitted(let id, _, let time):
      guard let times = requests[id], times.admitted == nil else { break }
      requests[id]!.admitted = time
      measured(.queue, time - times.submitted)
    case .token(let id, _, _, let time):
      guard let times = requests[id] else { break }
      requests[id]!.lastToken = time
      requests[id]!.generatedTokens += 1
      if let last = times.lastToken {
        measured(.interToken, time - last)
      } else {
        requests[id]!.firstToken = time
        measured(.timeToFirstToken, time - times.submitted)
        if let admitted = times.admitted { measured(.prefill, time - admitted) }
      }
    case .finished(let id, _, let reason, let time):
      guard let times = requests.removeValue(forKey: id), reason.isNatural else { break }
      measured(.endToEnd, time - times.submitted)
      if let admitted = times.admitted { measured(.inference, time - admitted) }
      if let first = times.firstToken { measured(.decode, time - first) }
      return (times.promptTokens, times.generatedTokens)
    }
    return nil
  }
}
