import ApusModel

extension Scheduler {
  /// Plans the next step into `plan`, whose memory is reused. False: there is nothing to run.
  package mutating func nextStep(
    into plan: inout StepPlan, under conditions: StepConditions = StepConditions(),
    events: inout [SchedulerEvent]
  ) -> Bool {
    precondition(!isStepInFlight, "a step was planned before the last one finished")
    plan.removeAll()
    expire(at: conditions.now, events: &events)
    var budget = prefillBudget(conditions)
    plan.prefillBudget = budget
    for slot in running.indices {
      (plannedRows[slot], drafts[slot], settled[slot]) = (0, 0..<0, running[slot]?.computed ?? 0)
    }
    let mayStart = limits.admission == .continuous || allocator.isAllFree
    if limits.admission == .static && mayStart {
      while admitNext(into: &plan, events: &events) != nil {}
    }
    // By rank: who comes later has taken nothing yet, and may lose its pages to who comes earlier.
    var place = 0
    while place < order.count {
      planRows(atPlace: place, budget: &budget, into: &plan, events: &events)
      place += 1
    }
    if limits.admission == .continuous {
      while budget > 0, let slot = admitNext(into: &plan, events: &events) {
        planRows(atPlace: order.firstIndex(of: slot)!, budget: &budget, into: &plan, events: &events)
      }
    }
    planDrafts(conditions.costs, into: &plan)
    emit(into: &plan)
    isStepInFlight = plan.rowCount > 0
    return isStepInFlight
  }

  /// Prompt rows of the step: within the limits, and within the time that decoding requests are to be kept.
  private func prefillBudget(_ conditions: StepConditions) -> Int {
    var (decoding, attended, context) = (0, 0, 0)
    for slot in order {
      let request = running[slot]!
      if request.isDecoding {
        decoding += 1
        attended += request.tokens.count
      } else {
        context = max(context, request.computed)
      }
    }
    let budget = min(limits.prefillStep, limits.rowsPerStepMax - decoding)
    guard let target = conditions.target, decoding > 0 else { return budget }
    let rows = conditions.costs.rows(within: target, besides: decoding, attended, context: context)
    return min(budget, rows)
  }

  /// Decides the rows of the request at a place in the order, and takes their pages.
  private mutating func planRows(
    atPlace place: Int, budget: inout Int, into plan: inout StepPlan, events: inout [SchedulerEvent]
  ) {
    let slot = order[place]
    let isDecoding = running[slot]!.isDecoding
    if !isDecoding {
      guard budget > 0 else { return }
      guard reuse(slot, place: place, into: &plan, events: &events) else { return }
    }
    let request = running[slot]!
    var rows = isDecoding ? 1 : min(request.tokens.count - request.computed, budget)
    while memory.reach(slot) < request.computed + 1, let last = order.last, order.count > place + 1 {
      preempt(last, by: request.id, events: &events)
    }
    rows = min(rows, memory.reach(slot) - request.computed)
    guard rows > 0, memory.grow(slot, to: request.computed + rows, into: &plan) else {
      plan.appendWaitingForPages(request.id)
      return
    }
    plannedRows[slot] = rows
    memory.register(slot, tokens: request.tokens, computed: request.computed + rows)
    if !isDecoding { budget -= rows }
  }

  /// Takes over positions that others have computed: from the request's family, and from the cache. False: the
  /// positions it needs are being computed, and it waits for them.
  private mutating func reuse(
    _ slot: Int, place: Int, into plan: inout StepPlan, events: inout [SchedulerEvent]
  ) -> Bool {
    let request = running[slot]!
    guard !request.mustScorePrompt else { return true }
    // The newest token's row must run: its logits are wanted.
    let limit = request.tokens.count - 1
    // What a preempted request had computed itself may be more than what it has in common with others.
    if request.computed == 0, let family = request.family,
      let relative = relative(of: request, family, limit: limit, slot: slot),
      relative.wanted > memory.cached(request.tokens, limit: limit).positions
    {
      if relative.settled >= relative.wanted {
        guard memory.fork(order[relative.place], to: slot, positions: relative.wanted, into: &plan) else {
          return true
        }
        running[slot]!.computed = relative.wanted
        events.append(.reused(request.id, positions: relative.wanted))
        return true
      }
      if relative.place < place { return false }
    }
    let computed = request.computed
    let gained = memory.attachCached(
      slot, tokens: request.tokens, computed: computed, limit: limit, into: &plan)
    if gained > 0 {
      running[slot]!.computed = computed + gained
      events.append(.reused(request.id, positions: gained))
    }
    return true
  }

  /// The running member of the request's family that has most in common with it, of several the one that has come
  /// furthest: positions in common, and positions that can be copied, as no row of this step writes to them.
  private func relative(
    of request: ScheduledRequest, _ family: RequestID, limit: Int, slot: Int
  ) -> (place: Int, wanted: Int, settled: Int)? {
    var found: (place: Int, wanted: Int, settled: Int)?
    for (place, other) in order.enumerated() where other != slot {
      let member = running[other]!
      guard member.id == family || member.family == family else { continue }
      let common = member.id == family ? request.sharedCount : min(request.sharedCount, member.sharedCount)
      let wanted = min(common, limit)
      if wanted > 0, (wanted, settled[other]) > (found?.wanted ?? 0, found?.settled ?? -1) {
        found = (place, wanted, settled[other])
      }
    }
    return found
  }

  /// Sends a request back to the queue, with what it has generated.
  private mutating func preempt(_ slot: Int, by other: RequestID, events: inout [SchedulerEvent]) {
    var request = vacate(slot)
    request.computed = 0
    policy.preempted(request.tenant)
    waiting.insert(request)
    events.append(.preempted(request.id, slot: slot, by: other))
  }

  /// Gives the policy's choice among the waiting a slot. Nil: none is free, none waits, or there are no pages.
  private mutating func admitNext(into plan: inout StepPlan, events: inout [SchedulerEvent]) -> Int? {
    guard !waiting.isEmpty, allocator.freeCount > 0 else { return nil }
    let index = nextWaiting()
    let next = waiting[index]
    let needed =
      next.mustScorePrompt ? memory.pages(for: next.tokens.count) : memory.pagesToTake(for: next.tokens)
    guard order.isEmpty || needed + growingCount <= memory.availableCount else {
      plan.appendWaitingForPages(next.id)
      return nil
    }
    guard let slot = allocator.allocate() else { return nil }
    var request = waiting.remove(at: index)
    policy.admitted(request.tenant)
    if !request.wasAdmitted {
      request.wasAdmitted = true
      waiting.overtake(first: index)
      policy.served(request.tenant, promptTokens: request.promptCount, generatedTokens: 0)
    }
    request.tokens.reserveCapacity(request.promptCount + request.maxTokens)
    let place = order.firstIndex { running[$0]!.priority > request.priority } ?? order.count
    order.insert(slot, at: place)
    running[slot] = request
    settled[slot] = 0
    events.append(.admitted(request.id, slot: slot))
    return slot
  }

  /// Running requests that may soon want a page: all but those that hold what their most tokens take. With pages for
  /// full slots there is therefore always one for whoever gets a slot.
  private var growingCount: Int {
    order.count { memory.pages(of: $0).count < memory.pages(for: running[$0]!.positionsMax) }
  }

  /// The index of the waiting request that goes next.
  package func nextWaiting() -> Int {
    if let most = policy.overtakenMax {
      for index in 0..<waiting.count where waiting[index].overtaken >= most { return index }
    }
    var summary = RunningSummary(count: order.count, totalLength: 0)
    for slot in order { summary.totalLength += running[slot]!.tokens.count }
    var best = 0
    var bestScore = Double.infinity
    for index in 0..<waiting.count {
      let score = policy.score(of: waiting[index].waiting, beside: summary)
      if score < bestScore { (best, bestScore) = (index, score) }
    }
    return best
  }

  /// Adds guesses to decoding requests, where they pay: not beside prompts, which fill the arithmetic, and never at
  /// the cost of another's page.
  private mutating func planDrafts(_ costs: StepCosts, into plan: inout StepPlan) {
    guard limits.draftMax > 0 else { return }
    var rows = 0
    for slot in order where plannedRows[slot] > 0 {
      guard running[slot]!.isDecoding else { return }
      rows += plannedRows[slot]
    }
    for slot in order where plannedRows[slot] > 0 {
      let request = running[slot]!
      // The last token is never written, and a draft that ends the request needs no row after it.
      let limit = min(
        limits.draftMax, request.maxTokens - request.generatedCount - 1, limits.rowsPerStepMax - rows,
        memory.reach(slot) - request.computed - 1)
      guard limit > 0, let draft = PromptLookup.draft(request.tokens, limit: limit) else { continue }
      let count = request.drafts.count(limit: draft.count, rows: rows, costs: costs)
      guard count > 0 else {
        running[slot]!.drafts.pass()
        continue
      }
      guard memory.grow(slot, to: request.computed + 1 + count, into: &plan) else { continue }
      drafts[slot] = draft.lowerBound..<draft.lowerBound + count
      rows += count
    }
  }

  private func emit(into plan: inout StepPlan) {
    for slot in running.indices where plannedRows[slot] > 0 {
      guard let request = running[slot], request.isDecoding else { continue }
      plan.append(request, slot: slot, rowCount: 1, isPrefill: false, draft: drafts[slot])
    }
    for slot in order where plannedRows[slot] > 0 {
      guard let request = running[slot], !request.isDecoding else { continue }
      plan.append(request, slot: slot, rowCount: plannedRows[slot], isPrefill: true)
    }
  }
}
