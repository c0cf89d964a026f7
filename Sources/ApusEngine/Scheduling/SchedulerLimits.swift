/// Limits within which a scheduler plans.
package struct SchedulerLimits: Sendable, Equatable {
  /// Requests that run together at most.
  package var slotCount: Int
  /// Rows of a step at most; at least `slotCount`, so that every decoding request moves in every step.
  package var rowsPerStepMax: Int
  /// Prompt rows of a step at most, over all prompts.
  package var prefillStep: Int
  /// Requests that may wait, and the tokens of all of them together.
  package var queueLengthMax: Int
  package var queueTokensMax: Int
  package var admission: AdmissionMode
  /// Pages of the KV cache, their positions, and positions of a sequence.
  package var pageCount: Int
  package var pageSize: Int
  package var contextLength: Int
  package var cachesPrefixes: Bool
  /// Tokens drafted for a request in a step at most; 0: none.
  package var draftMax: Int

  package init(
    slotCount: Int, rowsPerStepMax: Int, prefillStep: Int, queueLengthMax: Int, queueTokensMax: Int = .max,
    admission: AdmissionMode = .continuous, pageCount: Int, pageSize: Int, contextLength: Int,
    cachesPrefixes: Bool = true, draftMax: Int = 0
  ) {
    precondition(slotCount >= 1 && rowsPerStepMax >= slotCount && prefillStep >= 1 && queueLengthMax >= 1)
    self.slotCount = slotCount
    self.rowsPerStepMax = rowsPerStepMax
    self.prefillStep = prefillStep
    self.queueLengthMax = queueLengthMax
    self.queueTokensMax = queueTokensMax
    self.admission = admission
    self.pageCount = pageCount
    self.pageSize = pageSize
    self.contextLength = contextLength
    self.cachesPrefixes = cachesPrefixes
    self.draftMax = draftMax
  }
}

/// What a step is planned under.
package struct StepConditions: Sendable, Equatable {
  /// On the engine's clock: requests whose time has passed end.
  package var now: Duration
  package var costs: StepCosts
  /// Seconds that a step should take at most while requests decode: what prompts may add to it, by `costs`. At least
  /// one prompt row runs in any case. Nil: prompts have `SchedulerLimits.prefillStep` rows.
  package var target: Double?

  package init(now: Duration = .zero, costs: StepCosts = .assumed, target: Double? = nil) {
    self.now = now
    self.costs = costs
    self.target = target
  }
}

/// What happened to a request.
package enum SchedulerEvent: Sendable, Equatable {
  /// Took a slot.
  case admitted(RequestID, slot: Int)
  /// So many positions need not be computed: other requests' pages hold them.
  case reused(RequestID, positions: Int)
  /// Lost slot and pages to `by` and waits again.
  case preempted(RequestID, slot: Int, by: RequestID)
  /// `token` was generated at `position`: the `sample`-th of the step's outcome.
  case token(RequestID, slot: Int, token: Int32, position: Int, sample: Int)
  /// Ended. The slot, if it had one, is free again.
  case finished(RequestID, slot: Int?, reason: FinishReason)
}
