extension EngineMetrics {
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
    iterationTokens.record(Double(plan.prefillRowCount + outcome.tokens.count))
    stepTime += duration
    slotTime += duration * plan.runs.count
  }

  package mutating func recordFirstToken(
    sinceQueued: Duration, sinceAdmitted: Duration? = nil, promptTokens: Int = 0, cachedTokens: Int = 0
  ) {
    generationTokensTotal += 1
    requestPromptTokensTotal += promptTokens
    requestCachedTokensTotal += cachedTokens
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
    case .failed(let error):
      requestsFailed += 1
      if case .invalidLogits = error { requestsCorrupted += 1 }
    }
    guard reason.isNatural, let latency = usage.timing.latency else { return }
    e2eRequestLatency.record(latency)
    requestPromptTokens.record(Double(usage.promptTokenCount))
    requestGenerationTokens.record(Double(usage.completionTokenCount))
    if let admitted = usage.timing.admitted, let finished = usage.timing.finished {
      requestInferenceTime.record(finished - admitted)
    }
    if let firstToken = usage.timing.firstToken, let finished = usage.timing.finished {
      requestDecodeTime.record(finished - firstToken)
    }
  }
}
