package import ApusModel

/// Limits within which a scheduler plans.
package struct SchedulerLimits: Sendable, Equatable {
  /// Requests that run together at most.
  package var slotCount: Int
  /// Rows of a step at most; at least `slotCount`, so that every decoding request moves in every step.
  package var rowsPerStepMax: Int
  /// Prompt rows of a step at most, over all prompts.
  package var prefillStep: Int
  /// Requests that may wait.
  package var queueLengthMax: Int
  package var admission: AdmissionMode

  package init(
    slotCount: Int, rowsPerStepMax: Int, prefillStep: Int, queueLengthMax: Int,
    admission: AdmissionMode = .continuous
  ) {
    precondition(slotCount >= 1 && rowsPerStepMax >= slotCount && prefillStep >= 1 && queueLengthMax >= 1)
    self.slotCount = slotCount
    self.rowsPerStepMax = rowsPerStepMax
    self.prefillStep = prefillStep
    self.queueLengthMax = queueLengthMax
    self.admission = admission
  }
}

/// What the logits of one sampling run came to.
package enum RowOutcome: Sendable, Equatable {
  case token(Int32)
  case failure(GenerationError)
}

/// What happened to a request.
package enum SchedulerEvent: Sendable, Equatable {
  /// Took a slot; its KV memory is reserved.
  case admitted(RequestID, slot: Int)
  /// `token` was generated at `position`.
  case token(RequestID, slot: Int, token: Int32, position: Int)
  /// Ended. The slot, if it had one, is free again and its KV memory must be released before the next step.
  case finished(RequestID, slot: Int?, reason: FinishReason)
}

/// Decides which rows each step runs. Never waits, computes or talks: a value, driven as
/// `submit`..., `nextStep`, (the model runs), `finish`, `nextStep`, ...
///
/// Requests are admitted first in, first out. A slot and the KV memory for the whole request are taken at
/// admission, so a prefilled request always has a slot. A step holds the next row of every decoding request
/// and, within `prefillStep` and `rowsPerStepMax`, chunks of prompts in the order of admission (mixed
/// batches: Orca, Yu et al. 2022; chunked prefill: Sarathi-Serve, Agrawal et al. 2024).
package struct Scheduler: Sendable {
  package let limits: SchedulerLimits
  private var waiting = RequestQueue()
  private var allocator: SlotAllocator
  /// The running request of each slot.
  private var running: [ScheduledRequest?]
  /// Slots whose prompts are not done, in the order of admission.
  private var prefilling: [Int] = []
  private var isStepInFlight = false

  package init(limits: SchedulerLimits) {
    self.limits = limits
    allocator = SlotAllocator(slotCount: limits.slotCount)
    running = Array(repeating: nil, count: limits.slotCount)
    prefilling.reserveCapacity(limits.slotCount)
  }

  package var waitingCount: Int { waiting.count }
  package var runningCount: Int { limits.slotCount - allocator.freeCount }
  package var freeSlotCount: Int { allocator.freeCount }
  package var isIdle: Bool { waiting.isEmpty && allocator.isAllFree }
  /// The request in `slot`.
  package func request(inSlot slot: Int) -> ScheduledRequest? { running[slot] }

  /// Queues a request.
  /// - Throws: `.queueFull`; nothing was queued.
  package mutating func submit(_ request: ScheduledRequest) throws(AdmissionError) {
    guard waiting.count < limits.queueLengthMax else { throw .queueFull(limit: limits.queueLengthMax) }
    waiting.append(request)
  }

  /// Ends a request wherever it is, also while a step runs. Unknown and finished ones are left alone.
  package mutating func cancel(
    _ id: RequestID, reason: FinishReason = .cancelled, events: inout [SchedulerEvent]
  ) {
    if waiting.remove(id) != nil {
      events.append(.finished(id, slot: nil, reason: reason))
    } else if let slot = running.firstIndex(where: { $0?.id == id }) {
      end(slot: slot, reason: reason, events: &events)
    }
  }

  /// Ends every request, running ones first.
  package mutating func cancelAll(reason: FinishReason, events: inout [SchedulerEvent]) {
    for slot in running.indices where running[slot] != nil {
      end(slot: slot, reason: reason, events: &events)
    }
    while let request = waiting.popFirst() {
      events.append(.finished(request.id, slot: nil, reason: reason))
    }
  }

  /// Plans the next step into `plan`, whose memory is reused. False: there is nothing to run.
  ///
  /// `reserve` makes room for a whole request in a slot, or says why not and changes nothing. While it is
  /// out of pages the first waiting request waits, and those behind it with it; if nothing runs that could
  /// give pages back, that request fails.
  package mutating func nextStep(
    into plan: inout StepPlan, events: inout [SchedulerEvent],
    reserve: (_ slot: Int, _ positions: Int) -> KVCacheError?
  ) -> Bool {
    precondition(!isStepInFlight, "a step was planned before the last one finished")
    plan.removeAll()
    for slot in running.indices where running[slot]?.isDecoding == true {
      appendRun(slot: slot, rowCount: 1, isPrefill: false, to: &plan)
    }
    var budget = min(limits.prefillStep, limits.rowsPerStepMax - plan.rowCount)
    if limits.admission == .static && allocator.isAllFree {
      while admitFirst(events: &events, reserve: reserve) {}
    }
    for slot in prefilling where budget > 0 {
      budget -= appendChunk(slot: slot, budget: budget, to: &plan)
    }
    if limits.admission == .continuous {
      while budget > 0, admitFirst(events: &events, reserve: reserve) {
        budget -= appendChunk(slot: prefilling[prefilling.count - 1], budget: budget, to: &plan)
      }
    }
    isStepInFlight = plan.rowCount > 0
    return isStepInFlight
  }

  /// Takes what the step gave: `outcomes` has one entry for each run of `plan` that samples, in order.
  package mutating func finish(
    _ plan: StepPlan, outcomes: [RowOutcome], events: inout [SchedulerEvent]
  ) {
    precondition(isStepInFlight && outcomes.count == plan.sampleCount, "not the outcome of this step")
    isStepInFlight = false
    var sampleIndex = 0
    for run in plan.runs {
      defer { if run.samples { sampleIndex += 1 } }
      // Cancelled while the step ran.
      guard running[run.slot]?.id == run.request else { continue }
      running[run.slot]!.computed += run.rowCount
      guard run.samples else { continue }
      if run.isPrefill { prefilling.removeAll { $0 == run.slot } }
      switch outcomes[sampleIndex] {
      case .token(let token): append(token, slot: run.slot, events: &events)
      case .failure(let error): end(slot: run.slot, reason: .failed(error), events: &events)
      }
    }
  }

  private mutating func append(_ token: Int32, slot: Int, events: inout [SchedulerEvent]) {
    let request = running[slot]!
    events.append(.token(request.id, slot: slot, token: token, position: request.tokens.count))
    if request.stopTokenIDs.contains(token) {
      end(slot: slot, reason: .stop(token: token), events: &events)
    } else if request.generatedCount + 1 >= request.maxTokens {
      end(slot: slot, reason: .length, events: &events)
    } else {
      running[slot]!.tokens.append(token)
    }
  }

  private mutating func end(slot: Int, reason: FinishReason, events: inout [SchedulerEvent]) {
    guard let request = running[slot] else { preconditionFailure("no request in slot \(slot)") }
    running[slot] = nil
    prefilling.removeAll { $0 == slot }
    free(slot)
    events.append(.finished(request.id, slot: slot, reason: reason))
  }

  /// Gives the first waiting request a slot. False: it, and so all of them, must wait.
  private mutating func admitFirst(
    events: inout [SchedulerEvent], reserve: (_ slot: Int, _ positions: Int) -> KVCacheError?
  ) -> Bool {
    while let request = waiting.first, let slot = allocator.allocate() {
      if let error = reserve(slot, request.positionsMax) {
        free(slot)
        if case .outOfPages = error, !allocator.isAllFree { return false }
        _ = waiting.popFirst()
        let failure = GenerationError.kvCache(request: request.id, error)
        events.append(.finished(request.id, slot: nil, reason: .failed(failure)))
        continue
      }
      running[slot] = waiting.popFirst()
      running[slot]!.tokens.reserveCapacity(request.promptCount + request.maxTokens)
      prefilling.append(slot)
      events.append(.admitted(request.id, slot: slot))
      return true
    }
    return false
  }

  /// Plans as much of a prompt as the budget allows, and returns the rows that took.
  private func appendChunk(slot: Int, budget: Int, to plan: inout StepPlan) -> Int {
    let request = running[slot]!
    let rowCount = min(request.tokens.count - request.computed, budget)
    appendRun(slot: slot, rowCount: rowCount, isPrefill: true, to: &plan)
    return rowCount
  }

  private func appendRun(slot: Int, rowCount: Int, isPrefill: Bool, to plan: inout StepPlan) {
    let request = running[slot]!
    let end = request.computed + rowCount
    plan.append(
      request: request.id, slot: slot, position: request.computed,
      tokens: request.tokens[request.computed..<end], samples: end == request.tokens.count,
      isPrefill: isPrefill)
  }

  private mutating func free(_ slot: Int) {
    do { try allocator.free(slot) } catch { preconditionFailure("\(error)") }
  }
}
