/// What an engine's observer is told, in order, on the engine's thread. Times are on the engine's clock.
public enum EngineEvent: Sendable, Equatable {
  // Indirect, or every event would be as large as an arrival.
  indirect case submitted(RequestArrival, at: Duration)
  /// The request holds the slot from now on.
  case admitted(RequestID, slot: Int, at: Duration)
  /// So many positions of the request need not be computed: pages of other requests hold them.
  case reused(RequestID, positions: Int, at: Duration)
  /// The request lost its slot and its pages to `by`, and waits again.
  case preempted(RequestID, slot: Int, by: RequestID, at: Duration)
  case step(StepRecord)
  case token(RequestID, slot: Int, GeneratedToken, at: Duration)
  /// Ended. The slot, if it had one, is free.
  case finished(RequestID, slot: Int?, FinishReason, at: Duration)
}

/// A request as it came: all that its answer depends on, but for conditions and constraints that are code.
public struct RequestArrival: Sendable, Equatable {
  public var id: RequestID
  public var promptTokens: [Int32]
  public var sampling: SamplingParameters
  /// The caller's, or the one drawn.
  public var seed: UInt64
  public var priority: Int
  public var tenant: String
  /// The request it was forked from, and the tokens that one had generated.
  public var forkedFrom: RequestID?
  public var generatedTokens: [Int32]
  public var hasStopCondition: Bool
  public var hasConstraint: Bool

  public init(
    id: RequestID, promptTokens: [Int32], sampling: SamplingParameters = SamplingParameters(),
    seed: UInt64 = 0, priority: Int = 0, tenant: String = "", forkedFrom: RequestID? = nil,
    generatedTokens: [Int32] = [], hasStopCondition: Bool = false, hasConstraint: Bool = false
  ) {
    self.id = id
    self.promptTokens = promptTokens
    self.sampling = sampling
    self.seed = seed
    self.priority = priority
    self.tenant = tenant
    self.forkedFrom = forkedFrom
    self.generatedTokens = generatedTokens
    self.hasStopCondition = hasStopCondition
    self.hasConstraint = hasConstraint
  }
}

/// One step that ran.
public struct StepRecord: Sendable, Equatable {
  /// Rows of one request.
  public struct Run: Sendable, Equatable {
    public var request: RequestID
    public var slot: Int
    /// Position of the first row.
    public var position: Int
    /// Rows, drafts included.
    public var rowCount: Int
    public var draftCount: Int
    public var isPrefill: Bool

    public init(
      request: RequestID, slot: Int, position: Int, rowCount: Int, draftCount: Int = 0, isPrefill: Bool
    ) {
      self.request = request
      self.slot = slot
      self.position = position
      self.rowCount = rowCount
      self.draftCount = draftCount
      self.isPrefill = isPrefill
    }
  }

  public var start: Duration
  public var end: Duration
  public var prefillRows: Int
  /// Rows of decoding requests, without drafts.
  public var decodeRows: Int
  public var draftRows: Int
  public var runs: [Run]
  /// Requests that had no rows, or no slot, for want of KV pages.
  public var waitingForPages: [RequestID]

  public init(
    start: Duration, end: Duration, prefillRows: Int, decodeRows: Int, draftRows: Int = 0, runs: [Run] = [],
    waitingForPages: [RequestID] = []
  ) {
    self.start = start
    self.end = end
    self.prefillRows = prefillRows
    self.decodeRows = decodeRows
    self.draftRows = draftRows
    self.runs = runs
    self.waitingForPages = waitingForPages
  }

  init(_ plan: StepPlan, start: Duration, end: Duration) {
    self.init(
      start: start, end: end, prefillRows: plan.prefillRowCount, decodeRows: plan.decodeRowCount,
      draftRows: plan.draftRowCount,
      runs: plan.runs.map {
        Run(
          request: $0.request, slot: $0.slot, position: $0.position, rowCount: $0.rowCount,
          draftCount: $0.draftCount, isPrefill: $0.isPrefill)
      }, waitingForPages: plan.waitingForPages)
  }
}
