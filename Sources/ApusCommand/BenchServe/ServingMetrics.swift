/// What a load comes to, counted as vLLM's `bench serve` counts. Only requests with a whole answer count, but
/// for `failedCount`.
struct ServingMetrics: Sendable, Equatable {
  /// How output tokens were counted.
  enum TokenCount: String, Sendable {
    /// By the usage that the server gave.
    case usage
    /// By the pieces of the streams, which may hold several tokens.
    case chunks
    /// Some requests one way, some the other.
    case mixed
  }

  var completedCount: Int
  var failedCount: Int
  /// Seconds.
  var duration: Double
  var inputTokenCount: Int
  var outputTokenCount: Int
  var tokenCount: TokenCount
  /// Requests within the objectives; nil without any.
  var goodCount: Int?
  /// Tokens in the best whole second; pieces of streams stand for tokens.
  var outputTokensPeak: Int
  /// Requests that were under way together.
  var concurrencyPeak: Int
  /// Seconds each.
  var timeToFirstToken: SampleSummary
  var timePerOutputToken: SampleSummary
  var interTokenLatency: SampleSummary
  var endToEndLatency: SampleSummary

  /// - Parameter inputTokenCounts: for requests whose server gave no usage, in the same order.
  init(
    _ outcomes: [RequestOutcome], inputTokenCounts: [Int], duration: Double, goodput: [GoodputObjective] = []
  ) {
    let completed = outcomes.filter(\.succeeded)
    completedCount = completed.count
    failedCount = outcomes.count - completed.count
    self.duration = duration
    inputTokenCount = zip(outcomes, inputTokenCounts).reduce(0) { sum, pair in
      pair.0.succeeded ? sum + (pair.0.promptTokens ?? pair.1) : sum
    }
    outputTokenCount = completed.reduce(0) { $0 + $1.outputTokenCount }
    let usageCount = completed.count { $0.completionTokens != nil }
    tokenCount = usageCount == completed.count ? .usage : usageCount == 0 ? .chunks : .mixed
    goodCount =
      goodput.isEmpty ? nil : completed.count { outcome in goodput.allSatisfy { $0.isMet(by: outcome) } }
    outputTokensPeak = Self.piecesPeak(completed)
    concurrencyPeak = Self.overlapPeak(completed)
    timeToFirstToken = SampleSummary(completed.map(\.timeToFirstToken))
    timePerOutputToken = SampleSummary(completed.compactMap(\.timePerOutputToken))
    interTokenLatency = SampleSummary(completed.flatMap(\.gaps))
    endToEndLatency = SampleSummary(completed.map(\.latency))
  }

  private static func piecesPeak(_ outcomes: [RequestOutcome]) -> Int {
    guard let first = outcomes.map(\.start).min() else { return 0 }
    var counts: [Int: Int] = [:]
    for outcome in outcomes {
      for piece in outcome.pieces { counts[Int(outcome.start + piece - first), default: 0] += 1 }
    }
    return counts.values.max() ?? 0
  }

  private static func overlapPeak(_ outcomes: [RequestOutcome]) -> Int {
    // At one time, ends come before starts.
    let changes = outcomes.flatMap { [($0.start, 1), ($0.start + $0.latency, -1)] }.sorted { $0 < $1 }
    var (count, peak) = (0, 0)
    for (_, change) in changes {
      count += change
      peak = max(peak, count)
    }
    return peak
  }

  func perSecond(_ count: Int) -> Double { duration > 0 ? Double(count) / duration : 0 }
}
