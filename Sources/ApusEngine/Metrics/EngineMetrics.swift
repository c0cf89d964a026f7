/// What an engine has done so far and does now, as one value. Names follow vLLM's.
public struct EngineMetrics: Sendable, Equatable {
  /// KV slots of the engine, and KV pages of its pool.
  public let slotCount: Int
  public let pageCount: Int

  /// Requests taken since the start. Refused ones are counted by `admissionRejections`.
  public internal(set) var requestsTotal = 0
  public internal(set) var admissionRejections = 0
  /// Requests in a slot.
  public internal(set) var requestsRunning = 0
  /// Requests in the queue.
  public internal(set) var requestsWaiting = 0

  public internal(set) var requestsStopped = 0
  public internal(set) var requestsLength = 0
  /// Cancelled by their callers, not read, or ended by the engine's shutdown.
  public internal(set) var requestsCancelled = 0
  public internal(set) var requestsFailed = 0
  /// Of these, the ones whose logits were not valid.
  public internal(set) var requestsCorrupted = 0
  /// Ended by their time limits.
  public internal(set) var requestsTimedOut = 0
  /// Requests that lost their pages to others and were computed again: each time counts.
  public internal(set) var preemptionsTotal = 0

  /// Tokens of waiting requests.
  public internal(set) var tokensWaiting = 0
  /// KV pages that requests hold, and those that only the prefix cache keeps.
  public internal(set) var pagesHeld = 0
  public internal(set) var pagesIdle = 0
  /// Tokens that were looked for in the prefix cache, and those found there or in a fork's origin.
  public internal(set) var prefixCacheQueries = 0
  public internal(set) var prefixCacheHits = 0
  /// Tokens guessed ahead, and those that were right.
  public internal(set) var specDecodeDraftTokens = 0
  public internal(set) var specDecodeAcceptedTokens = 0
  /// Steps in which a request had guesses: each request counts.
  public internal(set) var specDecodeDrafts = 0

  /// Prompt rows that the newest step was allowed.
  public internal(set) var prefillBudget = 0
  /// Seconds that a step is thought to take, by what steps took: always, for each row, and for each position that
  /// a row attends to. Nil before the first.
  public internal(set) var stepCostFixed: Double?
  public internal(set) var stepCostPerRow: Double?
  public internal(set) var stepCostPerPosition: Double?
  /// How far that was off lately, as a share of what steps took.
  public internal(set) var stepCostError = 0.0

  /// Prompt tokens of requests whose first token came, and those of them that were not computed but found.
  public internal(set) var requestPromptTokensTotal = 0
  public internal(set) var requestCachedTokensTotal = 0
  /// Prompt tokens run through the model; those that run again after a preemption count again.
  public internal(set) var promptTokensTotal = 0
  /// Tokens generated, the first of each request included.
  public internal(set) var generationTokensTotal = 0
  public internal(set) var stepsTotal = 0
  /// Rows of decoding requests; prompt rows are `promptTokensTotal`.
  public internal(set) var decodeRowsTotal = 0
  /// Time spent in steps.
  public internal(set) var stepTime = Duration.zero
  /// Time spent in steps, times the slots that had rows in each.
  var slotTime = Duration.zero

  /// From `generate` to the slot.
  public internal(set) var requestQueueTime = LatencyHistogram(upperBounds: MetricBuckets.requestSeconds)
  /// From `generate` to the first token.
  public internal(set) var timeToFirstToken = LatencyHistogram(upperBounds: MetricBuckets.firstTokenSeconds)
  /// Between a request's consecutive tokens.
  public internal(set) var interTokenLatency = LatencyHistogram(upperBounds: MetricBuckets.interTokenSeconds)
  /// From `generate` to the end, of requests that ended by themselves.
  public internal(set) var e2eRequestLatency = LatencyHistogram(upperBounds: MetricBuckets.requestSeconds)
  /// From the slot to the first token, from there to the end, and both together, of the same requests.
  public internal(set) var requestPrefillTime = LatencyHistogram(upperBounds: MetricBuckets.requestSeconds)
  public internal(set) var requestDecodeTime = LatencyHistogram(upperBounds: MetricBuckets.requestSeconds)
  public internal(set) var requestInferenceTime = LatencyHistogram(upperBounds: MetricBuckets.requestSeconds)
  /// Prompt and generated tokens of the same requests.
  public internal(set) var requestPromptTokens: BucketHistogram
  public internal(set) var requestGenerationTokens: BucketHistogram
  /// Prompt rows and generated tokens of a step.
  public internal(set) var iterationTokens = BucketHistogram(upperBounds: MetricBuckets.stepTokens)

  /// - Parameter contextLength: up to where tokens of a request are told apart.
  package init(slotCount: Int, pageCount: Int = 0, contextLength: Int = 0) {
    self.slotCount = slotCount
    self.pageCount = pageCount
    requestPromptTokens = BucketHistogram(upperBounds: MetricBuckets.tokens(upTo: contextLength))
    requestGenerationTokens = BucketHistogram(upperBounds: MetricBuckets.tokens(upTo: contextLength))
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
}

extension Duration {
  /// This duration as a number of seconds.
  package var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
