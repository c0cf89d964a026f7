import ApusEngine

/// How often the workloads of `BatchInvariance` met each thing that must not change an answer, so that a test can tell
/// that they did.
public final class InvarianceTally {
  public enum Feature: String, CaseIterable, Sendable {
    case preemptions, reusedPositions, acceptedDrafts, rejectedDrafts, forks, completions, cancellations
    case droppedStreams, timeouts, unreadEnds, penalties, minTokens, logitBias, allowedTokens, constraints
    case stopConditions, promptLogprobs, logprobs, lengthEnds, stopEnds, conditionEnds, completeEnds, failures
    case fifo, priority, shortest, balance, fair, adaptedBudgets
  }

  public private(set) var counts: [Feature: Int] = [:]

  public subscript(feature: Feature) -> Int { counts[feature] ?? 0 }

  /// What was never met, of these.
  public func missing(of features: [Feature] = Feature.allCases) -> [Feature] {
    features.filter { self[$0] == 0 }
  }

  func count(_ feature: Feature, _ times: Int = 1) { counts[feature, default: 0] += times }

  func count(_ metrics: EngineMetrics) {
    count(.preemptions, metrics.preemptionsTotal)
    count(.reusedPositions, metrics.prefixCacheHits)
    count(.acceptedDrafts, metrics.specDecodeAcceptedTokens)
    count(.rejectedDrafts, metrics.specDecodeDraftTokens - metrics.specDecodeAcceptedTokens)
  }

  func count(_ configuration: EngineConfiguration) {
    if let policy = Feature(rawValue: configuration.policy.name) { count(policy) }
    if configuration.interTokenTarget != nil { count(.adaptedBudgets) }
  }

  /// A request that gave something.
  func count(_ request: GenerationRequest, _ result: GenerationResult) {
    let sampling = request.sampling
    if result.promptLogprobs?.isEmpty == false { count(.promptLogprobs) }
    if !result.tokens.isEmpty {
      if sampling.repetitionPenalty != 1 || sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0 {
        count(.penalties)
      }
      if sampling.minTokens > 0 { count(.minTokens) }
      if !sampling.logitBias.isEmpty { count(.logitBias) }
      if sampling.allowedTokenIDs != nil { count(.allowedTokens) }
      if sampling.logprobs != nil { count(.logprobs) }
      if request.constraint != nil { count(.constraints) }
      if request.stopCondition != nil { count(.stopConditions) }
    }
    switch result.finishReason {
    case .stop: count(.stopEnds)
    case .stopCondition: count(.conditionEnds)
    case .complete: count(.completeEnds)
    case .length: count(.lengthEnds)
    case .cancelled: count(.cancellations)
    case .timedOut: count(.timeouts)
    case .unread: count(.unreadEnds)
    case .failed: count(.failures)
    case .shutdown: break
    }
  }
}
