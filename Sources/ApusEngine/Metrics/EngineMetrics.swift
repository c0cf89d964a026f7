/// What an engine has done so far and does now, as one value. Names follow vLLM's.
public struct EngineMetrics: Sendable, Equatable {
  /// KV slots of the engine.
  public let slotCount: Int

  /// Requests taken since the start. Refused ones are counted by `admissionRejections`.
  public private(set) var requestsTotal = 0
  public private(set) var admissionRejections = 0
  /// Requests in a slot.
  public private(set) var requestsRunning = 0
  /// Requests in the queue.
  public private(set) var requestsWaiting = 0

  public private(set) var requestsStopped = 0
  public private(set) var requestsLength = 0
  /// Cancelled by their callers, or ended by the engine's shutdown.
  public private(set) var requestsCancelled = 0
  public private(set) var requestsFailed = 0

  /// Prompt tokens run through the model.
  public private(set) var promptTokensTotal = 0
  /// Tokens generated, the first of each request included.
  public private(set) var generationTokensTotal = 0
  public private(set) var stepsTotal = 0
  /// Rows of decoding requests; prompt rows are `promptTokensTotal`.
  public private(set) var decodeRowsTotal = 0
  /// Time spent in steps.
  public private(set) var stepTime = Duration.zero
  /// Time spent in steps, times the slots that had rows in each.
  private var slotTime = Duration.zero

  /// From `generate` to the slot.
  public private(set) var requestQueueTime = LatencyHistogram()
  /// From `generate` to the first token.
  public private(set) var timeToFirstToken = LatencyHistogram()
  /// Between a request's consecutive tokens.
  public private(set) var interTokenLatency = LatencyHistogram()
  /// From `generate` to the end, of requests that were neither cancelled nor failed.
  public private(set) var e2eRequestLatency = LatencyHistogram()

  package init(slotCount: Int) { self.slotCount = slotCount }

  /// Tokens generated per second of step time. Time without work does not count.
  public var tokensPerSecond: Double {
    stepTime > .zero ? Double(generationTokensTotal) / stepTime.inSeconds : 0
  }

  /// Seconds from `generate` to the end, on average.
  public var averageLatency: Double { e2eRequestLatency.mean }

  /// Share of the slots that had rows, averaged over step time: 0...1.
  public var slotUtilization: Double {
    stepTime > .zero ? slotTime.inSeconds / (stepTime.inSeconds * Double(slotCount)) : 0
  }

  /// The same over the time since an earlier reading of the same engine.
  public func slotUtilization(since earlier: EngineMetrics) -> Double {
    let time = stepTime - earlier.stepTime
    return time > .zero ? (slotTime - earlier.slotTime).inSeconds / (time.inSeconds * Double(slotCount)) : 0
  }

  package mutating func recordQueues(running: Int, waiting: Int) {
    requestsRunning = running
    requestsWaiting = waiting
  }

  package mutating func recordSubmission() { requestsTotal += 1 }

  package mutating func recordRejection() { admissionRejections += 1 }

  package mutating func recordAdmission(queueTime: Duration) { requestQueueTime.record(queueTime) }

  package mutating func recordStep(_ plan: StepPlan, duration: Duration) {
    stepsTotal += 1
    promptTokensTotal += plan.prefillRowCount
    decodeRowsTotal += plan.decodeRowCount
    stepTime += duration
    slotTime += duration * plan.runs.count
  }

  package mutating func recordFirstToken(sinceQueued: Duration) {
    generationTokensTotal += 1
    timeToFirstToken.record(sinceQueued)
  }

  package mutating func recordToken(sinceLast: Duration) {
    generationTokensTotal += 1
    interTokenLatency.record(sinceLast)
  }

  package mutating func recordFinish(_ reason: FinishReason, latency: Duration) {
    switch reason {
    case .stop: requestsStopped += 1
    case .length: requestsLength += 1
    case .cancelled, .shutdown: requestsCancelled += 1
    case .failed: requestsFailed += 1
    }
    switch reason {
    case .stop, .length: e2eRequestLatency.record(latency)
    case .cancelled, .shutdown, .failed: break
    }
  }
}

extension Duration {
  /// This duration as a number of seconds.
  package var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
