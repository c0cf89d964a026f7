public import ApusEngine

/// One request's time from arrival to end, part by part: the parts follow one another without gap or overlap, so
/// their durations sum to its end-to-end time exactly.
public struct RequestTimeline: Sendable, Equatable {
  /// What a request does, or waits for.
  public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// In the queue, behind those that hold slots meanwhile.
    case queued
    /// Without rows, or without a slot, for want of KV pages, which the others hold.
    case waitingForPages
    /// Its prompt is computed.
    case prefill
    /// Its tokens are generated.
    case decode
    /// Its step took longer, or had no rows for it, as prompts of others were computed.
    case behindPrompts
    /// In the queue again, after it lost its pages to another.
    case preempted
    /// What it had lost then is computed again.
    case recomputing

    /// The request is admitted, or was, and does not move for what others do.
    public var isStall: Bool {
      switch self {
      case .behindPrompts, .preempted, .recomputing: true
      case .queued, .waitingForPages, .prefill, .decode: false
      }
    }
  }

  public struct Part: Sendable, Equatable {
    public var phase: Phase
    public var start: Duration
    public var end: Duration
    /// Whom it waited for, or was held up by. Empty where by nobody.
    public var by: [RequestID]

    public var duration: Duration { end - start }
  }

  public var request: RequestID
  public var promptTokenCount: Int
  /// Generated so far, or in all.
  public internal(set) var generatedTokenCount = 0
  /// When it arrived and ended, on the engine's clock. Nil: it has not ended.
  public var submitted: Duration
  public internal(set) var finished: Duration?
  public internal(set) var finishReason: FinishReason?
  /// In order, the first from `submitted` on, the last up to `finished`. None is empty; neighbours differ.
  public internal(set) var parts: [Part] = []

  init(_ arrival: RequestArrival, at time: Duration) {
    request = arrival.id
    promptTokenCount = arrival.promptTokens.count
    submitted = time
  }

  /// From arrival to the end, or to what is known so far.
  public var total: Duration { (finished ?? parts.last?.end ?? submitted) - submitted }

  /// Time in a phase altogether.
  public func duration(of phase: Phase) -> Duration {
    parts.reduce(.zero) { $1.phase == phase ? $0 + $1.duration : $0 }
  }

  /// How long each other request kept this one from moving, most first, equal ones by id. What several did together
  /// counts in equal parts.
  public var holdUps: [(by: RequestID, duration: Duration)] {
    var durations: [RequestID: Duration] = [:]
    for part in parts where part.phase.isStall {
      for other in part.by { durations[other, default: .zero] += part.duration / part.by.count }
    }
    return durations.map { ($0.key, $0.value) }
      .sorted { $0.duration != $1.duration ? $0.duration > $1.duration : $0.by < $1.by }
  }

  /// Adds a part that ends at `end`, where the last one ended or the request arrived. Nothing, if that is later.
  mutating func extend(to end: Duration, _ phase: Phase, by others: [RequestID] = []) {
    let start = parts.last?.end ?? submitted
    guard end > start else { return }
    if let last = parts.last, last.phase == phase, last.by == others {
      parts[parts.count - 1].end = end
    } else {
      parts.append(Part(phase: phase, start: start, end: end, by: others))
    }
  }
}
