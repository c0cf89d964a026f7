/// What an engine has done so far and does now, as one value. Names follow vLLM's.
public struct EngineMetrics: Sendable, Equatable {
  /// KV slots of the engine, and KV pages of its pool.
  public let slotCount: Int
  public let pageCount: Int

  /// Requests taken since the start. Refused ones are counted by `admissionRejections`.
  public private(set) var requestsTotal = 0
  public private(set) var admissionRejections = 0
  /// Requests in a slot.
  public private(set) var requestsRunning = 0
  /// Requests in the queue.
  public private(set) var requestsWaiting = 0

  public private(set) var requestsStopped = 0
  public private(set) var requestsLength = 0
  /// Cancelled by their callers, not read, or ended by the engine's shutdown.
  public private(set) var requestsCancelled = 0
  public private(set) var requestsFailed = 0
  /// Ended by their time limits.
  public private(set) var requestsTimedOut = 0
  /// Requests that lost their pages to others and were computed again: each time counts.
  public private(set) var preemptionsTotal = 0

  /// Tokens of waiting requests.
  public private(set) var tokensWaiting = 0
  /// KV pages that requests hold, and those that only the prefix cache keeps.
  public private(set) var pagesHeld = 0
  public private(set) var pagesIdle = 0
  /// Prompt tokens that were looked for in the prefix cache, and those found there or in a fork's origin.
  public private(set) var prefixCacheQueries = 0
  public private(set) var prefixCacheHits = 0
  /// Tokens guessed ahead, and those that were right.
  public private(set) var specDecodeDraftTokens = 0
  public private(set) var specDecodeAcceptedTokens = 0
  /// Steps in which a request had guesses: each request counts.
  public private(set) var specDecodeDrafts = 0

  /// Prompt rows that the newest step was allowed.
  public private(set) var prefillBudget = 0
  /// Seconds that a step is thought to take, by what steps took: always, for each row, and for each position that
  /// a row attends to. Nil before the first.
  public private(set) var stepCostFixed: Double?
  public private(set) var stepCostPerRow: Double?
  public private(set) var stepCostPerPosition: Double?
  /// How far that was off lately, as a share of what steps took.
  public private(set) var stepCostError = 0.0

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
  /// From `generate` to the end, of requests that ended by themselves.
  public private(set) var e2eRequestLatency = LatencyHistogram()
  /// From the slot to the first token, and from there to the end, of the same requests.
  public private(set) var requestPrefillTime = LatencyHistogram()
  public private(set) var requestDecodeTime = LatencyHistogram()

  package init(slotCount: Int, pageCount: Int = 0) {
    self.slotCount = slotCount
    self.pageCount = pageCount
  }

  /// Share of the KV pages that requests hold: 0...1.
  public var kvCacheUsage: Double { pageCount > 0 ? Double(pagesHeld) / Double(pageCount) : 0 }

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

  package mutating func recordQueues(
    running: Int, waiting: Int, waitingTokens: Int = 0, pagesHeld: Int = 0, pagesIdle: Int = 0
  ) {
    requestsRunning = running
    requestsWaiting = waiting
    tokensWaiting = waitingTokens
    self.pagesHeld = pagesHeld
    self.pagesIdle = pagesIdle
  }

  package mutating func recordSubmission() { requestsTotal += 1 }

  package mutating func recordRejection() { admissionRejections += 1 }

  package mutating func recordAdmission(queueTime: Duration, promptTokens: Int = 0) {
    requestQueueTime.record(queueTime)
    prefixCacheQueries += promptTokens
  }

  package mutating func recordPrefixHit(tokens: Int) { prefixCacheHits += tokens }

  package mutating func recordPreemption() { preemptionsTotal += 1 }

  package mutating func recordCosts(_ model: StepCostModel) {
    stepCostFixed = model.costs.fixed
    stepCostPerRow = model.costs.perRow
    stepCostPerPosition = model.costs.perPosition
    stepCostError = model.relativeError
  }

  package mutating func recordStep(_ plan: StepPlan, _ outcome: StepOutcome, duration: Duration) {
    stepsTotal += 1
    promptTokensTotal += plan.prefillRowCount
    decodeRowsTotal += plan.decodeRowCount
    prefillBudget = plan.prefillBudget
    specDecodeDraftTokens += plan.draftRowCount
    var sampleIndex = 0
    for run in plan.runs where run.samples {
      if run.draftCount > 0 {
        specDecodeDrafts += 1
        specDecodeAcceptedTokens += max(0, outcome.runs[sampleIndex].range.count - 1)
      }
      sampleIndex += 1
    }
    stepTime += duration
    slotTime += duration * plan.runs.count
  }

  package mutating func recordFirstToken(sinceQueued: Duration, sinceAdmitted: Duration? = nil) {
    generationTokensTotal += 1
    timeToFirstToken.record(sinceQueued)
    if let sinceAdmitted { requestPrefillTime.record(sinceAdmitted) }
  }

  package mutating func recordToken(sinceLast: Duration) {
    generationTokensTotal += 1
    interTokenLatency.record(sinceLast)
  }

  package mutating func recordFinish(_ reason: FinishReason, _ usage: Usage) {
    switch reason {
    case .stop, .stopCondition, .complete: requestsStopped += 1
    case .length: requestsLength += 1
    case .cancelled, .unread, .shutdown: requestsCancelled += 1
    case .timedOut: requestsTimedOut += 1
    case .failed: requestsFailed += 1
    }
    guard reason.isNatural, let latency = usage.timing.latency else { return }
    e2eRequestLatency.record(latency)
    if let firstToken = usage.timing.firstToken, let finished = usage.timing.finished {
      requestDecodeTime.record(finished - firstToken)
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
