import ApusEngine

/// An event, and for the end of a request what it gave.
struct BufferedRecord: Sendable {
  var event: EngineEvent
  var digest: TokenDigest?
}

/// Events that wait to be written, within bounds: what finds no room is dropped whole and counted.
///
/// The last quarter is kept for arrivals and ends, which are few and without which tokens say nothing.
struct RecordBuffer: Sendable {
  struct Limits: Sendable, Equatable {
    /// Events, and bytes of what hangs on them: prompts, runs of steps, logprobs.
    var countMax = 1 << 15
    var byteCountMax = 32 << 20
  }

  let limits: Limits
  private(set) var records: [BufferedRecord] = []
  private var byteCount = 0
  /// Since the last `take`.
  private(set) var droppedCount = 0

  init(limits: Limits = Limits()) {
    self.limits = limits
    records.reserveCapacity(limits.countMax)
  }

  var isEmpty: Bool { records.isEmpty && droppedCount == 0 }
  var isHalfFull: Bool { records.count * 2 >= limits.countMax || byteCount * 2 >= limits.byteCountMax }

  /// False: there was no room.
  @discardableResult
  mutating func append(_ record: BufferedRecord) -> Bool {
    let size = record.event.payloadByteCount
    let isRoom =
      record.event.isLandmark
      ? records.count < limits.countMax && byteCount + size <= limits.byteCountMax
      : records.count < limits.countMax / 4 * 3 && byteCount + size <= limits.byteCountMax / 4 * 3
    guard isRoom else {
      droppedCount += 1
      return false
    }
    byteCount += size
    records.append(record)
    return true
  }

  /// Empties the buffer into `batch`, whose memory it takes over, and returns how many were dropped.
  mutating func take(into batch: inout [BufferedRecord]) -> Int {
    batch.removeAll(keepingCapacity: true)
    swap(&records, &batch)
    defer { droppedCount = 0 }
    byteCount = 0
    return droppedCount
  }
}

extension EngineEvent {
  fileprivate var isLandmark: Bool {
    switch self {
    case .submitted, .finished: true
    case .admitted, .reused, .preempted, .step, .token: false
    }
  }

  fileprivate var payloadByteCount: Int {
    switch self {
    case .submitted(let arrival, _):
      512 + 4 * (arrival.promptTokens.count + arrival.generatedTokens.count)
        + 8 * (arrival.sampling.logitBias.count + (arrival.sampling.allowedTokenIDs?.count ?? 0))
        + arrival.tenant.utf8.count
    case .step(let step):
      MemoryLayout<StepRecord.Run>.stride * step.runs.count + 8 * step.waitingForPages.count
    case .token(_, _, let token, _): 8 * (token.logprobs?.top.count ?? 0)
    case .admitted, .reused, .preempted, .finished: 0
    }
  }
}
