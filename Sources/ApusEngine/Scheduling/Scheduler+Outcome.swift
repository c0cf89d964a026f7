import ApusModel

extension Scheduler {
  /// Takes what the step gave: `outcome` has one entry for each run of `plan` that samples, in order.
  package mutating func finish(
    _ plan: StepPlan, outcome: StepOutcome, events: inout [SchedulerEvent]
  ) {
    precondition(isStepInFlight && outcome.runs.count == plan.sampleCount, "not the outcome of this step")
    isStepInFlight = false
    var sampleIndex = 0
    for run in plan.runs {
      defer { if run.samples { sampleIndex += 1 } }
      // Cancelled while the step ran.
      guard running[run.slot]?.id == run.request else { continue }
      let scored = min(running[run.slot]!.promptCount, run.position + run.rowCount)
      if run.logits == .all { running[run.slot]!.scored = max(running[run.slot]!.scored, scored) }
      running[run.slot]!.computed += run.rowCount - run.draftCount
      guard run.samples else { continue }
      take(outcome.runs[sampleIndex], of: outcome, run: run, events: &events)
    }
  }

  /// Appends a run's tokens to its request, up to the one that ends it.
  private mutating func take(
    _ result: StepOutcome.Run, of outcome: StepOutcome, run: StepPlan.Run, events: inout [SchedulerEvent]
  ) {
    let slot = run.slot
    precondition(result.range.count <= run.draftCount + 1, "more tokens than rows")
    policy.served(running[slot]!.tenant, promptTokens: 0, generatedTokens: result.range.count)
    for sample in result.range {
      let token = outcome.tokens[sample]
      let generatedCount = running[slot]!.generatedCount
      events.append(
        .token(
          run.request, slot: slot, token: token, position: running[slot]!.tokens.count, sample: sample))
      if let reason = running[slot]!.finishReason(after: token, generatedCount: generatedCount) {
        return end(slot: slot, reason: reason, events: &events)
      }
      running[slot]!.tokens.append(token)
    }
    if let ending = result.ending { return end(slot: slot, reason: ending, events: &events) }
    precondition(!result.range.isEmpty, "\(run.request) was given no token and goes on")
    let accepted = result.range.count - 1
    running[slot]!.computed += accepted
    if run.draftCount > 0 {
      running[slot]!.drafts.record(drafted: run.draftCount, accepted: accepted)
      memory.register(slot, tokens: running[slot]!.tokens, computed: running[slot]!.computed)
    }
  }
}
