package import ApusModel

/// What one step runs: decode rows and prefill chunks of several requests, in one ragged batch.
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
    /// The run ends at the request's last known token, so its last row's logits give the next one.
    package var samples: Bool
    /// A chunk of a prompt, as against the one row of a decoding request.
    package var isPrefill: Bool
  }

  /// Decode runs by slot, then prefill runs in the order of admission.
  package private(set) var runs: [Run] = []
  /// Token of each row, run after run.
  package private(set) var tokenIDs: [Int32] = []
  package private(set) var prefillRowCount = 0
  package private(set) var decodeRowCount = 0
  /// Runs that sample, and so the rows of logits the step gives, in the order of `runs`.
  package private(set) var sampleCount = 0

  package init() {}

  package var rowCount: Int { tokenIDs.count }

  package mutating func reserveCapacity(rows: Int, runs: Int) {
    tokenIDs.reserveCapacity(rows)
    self.runs.reserveCapacity(runs)
  }

  /// Empties the plan and keeps its memory.
  package mutating func removeAll() {
    runs.removeAll(keepingCapacity: true)
    tokenIDs.removeAll(keepingCapacity: true)
    prefillRowCount = 0
    decodeRowCount = 0
    sampleCount = 0
  }

  mutating func append(
    request: RequestID, slot: Int, position: Int, tokens: ArraySlice<Int32>, samples: Bool, isPrefill: Bool
  ) {
    runs.append(
      Run(
        request: request, slot: slot, position: position, rowStart: tokenIDs.count, rowCount: tokens.count,
        samples: samples, isPrefill: isPrefill))
    tokenIDs.append(contentsOf: tokens)
    if isPrefill { prefillRowCount += tokens.count } else { decodeRowCount += tokens.count }
    if samples { sampleCount += 1 }
  }

  /// Refills `batch`, which keeps its memory from step to step.
  package func lower(into batch: inout RaggedBatch) {
    batch.removeAll()
    for run in runs {
      batch.append(
        slot: run.slot, position: run.position, tokens: tokenIDs[run.rowStart..<run.rowStart + run.rowCount],
        logits: run.samples ? .last : .none)
    }
  }
}
