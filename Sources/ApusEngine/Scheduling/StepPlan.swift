package import ApusModel

/// What one step runs: decode rows and prefill chunks of several requests, in one ragged batch, and what
/// becomes of pages before.
package struct StepPlan: Sendable, Equatable {
  /// Consecutive positions of one request.
  package struct Run: Sendable, Equatable {
    package var request: RequestID
    package var slot: Int
    /// Position of the first row: what the slot's cache holds before the step.
    package var position: Int
    /// First of the run's rows in `tokenIDs`.
    package var rowStart: Int
    package var rowCount: Int
    /// Rows at the end whose tokens are guesses.
    package var draftCount = 0
    /// The run ends at the request's last known token, so its logits give the next one.
    package var samples: Bool
    /// A chunk of a prompt, as against the rows of a decoding request.
    package var isPrefill: Bool
    package var logits: RaggedBatch.LogitRows

    /// Rows of logits the run gets.
    package var logitCount: Int {
      switch logits {
      case .none: 0
      case .last: 1
      case .all: rowCount
      }
    }
  }

  /// Decode runs by slot, then prefill runs in the order of admission.
  package private(set) var runs: [Run] = []
  /// Token of each row, run after run.
  package private(set) var tokenIDs: [Int32] = []
  package private(set) var prefillRowCount = 0
  /// Rows of decoding requests without their drafts.
  package private(set) var decodeRowCount = 0
  package private(set) var draftRowCount = 0
  /// Runs that sample.
  package private(set) var sampleCount = 0
  /// Rows of logits the step gives, run after run.
  package private(set) var logitCount = 0
  /// Positions that the rows attend to, all together.
  package private(set) var attendedCount = 0
  /// Prompt rows the step was allowed.
  package internal(set) var prefillBudget = 0
  /// To be done in this order, copies after assignments, before the rows run.
  package private(set) var pageAssignments: [PageAssignment] = []
  package private(set) var pageCopies: [PageCopy] = []
  /// Requests that would have had rows, were there pages: those with slots, and then the one next in the queue.
  package private(set) var waitingForPages: [RequestID] = []

  package init() {}

  package var rowCount: Int { tokenIDs.count }

  package mutating func reserveCapacity(rows: Int, runs: Int) {
    tokenIDs.reserveCapacity(rows)
    self.runs.reserveCapacity(runs)
    pageAssignments.reserveCapacity(rows)
    pageCopies.reserveCapacity(runs)
    waitingForPages.reserveCapacity(runs + 1)
  }

  /// Empties the plan and keeps its memory.
  package mutating func removeAll() {
    runs.removeAll(keepingCapacity: true)
    tokenIDs.removeAll(keepingCapacity: true)
    pageAssignments.removeAll(keepingCapacity: true)
    pageCopies.removeAll(keepingCapacity: true)
    waitingForPages.removeAll(keepingCapacity: true)
    prefillRowCount = 0
    decodeRowCount = 0
    draftRowCount = 0
    sampleCount = 0
    logitCount = 0
    attendedCount = 0
  }

  /// Adds a run of `request`, from the first position not computed on, with `draft` of its tokens as guesses after
  /// its newest one.
  mutating func append(
    _ request: ScheduledRequest, slot: Int, rowCount: Int, isPrefill: Bool, draft: Range<Int> = 0..<0
  ) {
    let end = request.computed + rowCount
    let samples = end == request.tokens.count
    let logits: RaggedBatch.LogitRows =
      !draft.isEmpty || request.mustScorePrompt ? .all : samples ? .last : .none
    let run = Run(
      request: request.id, slot: slot, position: request.computed, rowStart: tokenIDs.count,
      rowCount: rowCount + draft.count, draftCount: draft.count, samples: samples, isPrefill: isPrefill,
      logits: logits)
    runs.append(run)
    tokenIDs.append(contentsOf: request.tokens[request.computed..<end])
    tokenIDs.append(contentsOf: request.tokens[draft])
    if isPrefill { prefillRowCount += rowCount } else { decodeRowCount += rowCount }
    draftRowCount += draft.count
    if samples { sampleCount += 1 }
    logitCount += run.logitCount
    attendedCount += run.rowCount * run.position + run.rowCount * (run.rowCount + 1) / 2
  }

  mutating func append(_ assignment: PageAssignment) { pageAssignments.append(assignment) }

  mutating func append(_ copy: PageCopy) { pageCopies.append(copy) }

  mutating func appendWaitingForPages(_ id: RequestID) { waitingForPages.append(id) }

  /// Refills `batch`, which keeps its memory from step to step.
  package func lower(into batch: inout RaggedBatch) {
    batch.removeAll()
    for run in runs {
      batch.append(
        slot: run.slot, position: run.position, tokens: tokenIDs[run.rowStart..<run.rowStart + run.rowCount],
        logits: run.logits)
    }
  }
}
