extension EngineCore {
  /// Hands the scheduler's events to streams, metrics and observer.
  func deliver() {
    guard !events.isEmpty else { return }
    let now = clock.now()
    // Before the streams, so that who reads the end of a request finds it counted.
    updateQueueMetrics()
    // By index: ending an unread request adds to the events.
    var index = 0
    while index < events.count {
      switch events[index] {
      case .admitted(let id, let slot): admitted(id, slot: slot, at: now)
      case .reused(let id, let positions): reused(id, positions: positions, at: now)
      case .preempted(let id, let slot, let other): preempted(id, slot: slot, by: other, at: now)
      case .token(let id, let slot, let token, let position, let sample):
        let token = GeneratedToken(id: token, position: position, logprobs: outcome.logprobs[sample])
        observer?(.token(id, slot: slot, token, at: now))
        generated(token, by: id, at: now)
      case .finished(let id, let slot, let reason): finished(id, slot: slot, reason: reason, at: now)
      }
      index += 1
    }
    events.removeAll(keepingCapacity: true)
  }

  private func admitted(_ id: RequestID, slot: Int, at now: Duration) {
    guard let record = records[id] else { preconditionFailure("\(id) has no record") }
    observer?(.admitted(id, slot: slot, at: now))
    guard record.timing.admitted == nil else { return }
    record.timing.admitted = now
    // Who wants logits for all of the prompt does not look for any of it in the cache.
    let searched = record.request.sampling.promptLogprobs == nil ? scheduler.request(id)?.tokens.count : nil
    metrics.update {
      $0.recordAdmission(queueTime: now - record.timing.queued, promptTokens: searched ?? 0)
    }
  }

  private func reused(_ id: RequestID, positions: Int, at now: Duration) {
    // Positions that a preempted request finds again were its own.
    guard let record = records[id] else { preconditionFailure("\(id) has no record") }
    if record.preemptionCount == 0 {
      record.reusedCount += positions
      metrics.update { $0.recordPrefixHit(tokens: positions) }
    }
    observer?(.reused(id, positions: positions, at: now))
  }

  private func preempted(_ id: RequestID, slot: Int, by other: RequestID, at now: Duration) {
    records[id]!.preemptionCount += 1
    metrics.update { $0.recordPreemption() }
    observer?(.preempted(id, slot: slot, by: other, at: now))
  }

  private func generated(_ token: GeneratedToken, by id: RequestID, at now: Duration) {
    guard let record = records[id] else { preconditionFailure("\(id) has no record") }
    if let lastToken = record.lastToken {
      metrics.update { $0.recordToken(sinceLast: now - lastToken) }
    } else {
      record.timing.firstToken = now
      if record.request.sampling.promptLogprobs != nil {
        record.channel.send(.promptLogprobs(record.promptLogprobs))
        record.promptLogprobs = []
      }
      metrics.update {
        $0.recordFirstToken(
          sinceQueued: now - record.timing.queued, sinceAdmitted: record.timing.admitted.map { now - $0 },
          promptTokens: record.request.promptTokens.count, cachedTokens: record.reusedCount)
      }
    }
    record.lastToken = now
    record.generatedCount += 1
    if record.channel.send(.token(token)) > configuration.unreadTokensMax {
      scheduler.cancel(id, reason: .unread, events: &events)
      // No step may follow that would count it as gone.
      updateQueueMetrics()
    }
  }

  private func finished(_ id: RequestID, slot: Int?, reason: FinishReason, at now: Duration) {
    guard let record = records.removeValue(forKey: id) else { preconditionFailure("\(id) has no record") }
    record.timing.finished = now
    let usage = Usage(
      promptTokenCount: record.request.promptTokens.count, completionTokenCount: record.generatedCount,
      cachedTokenCount: record.reusedCount, preemptionCount: record.preemptionCount, seed: record.seed,
      timing: record.timing)
    metrics.update { $0.recordFinish(reason, usage) }
    observer?(.finished(id, slot: slot, reason, at: now))
    _ = record.channel.send(.finished(reason, usage))
  }

  func updateQueueMetrics() {
    metrics.update {
      $0.recordQueues(
        running: scheduler.runningCount, waiting: scheduler.waitingCount,
        waitingTokens: scheduler.waitingTokenCount, pagesHeld: scheduler.memory.heldCount,
        pagesIdle: scheduler.memory.idleCount)
    }
  }
}
