import ApusEngine
import ApusModel

/// Whether a planned step gives rows to whom it should, and no more.
extension Simulation {
  /// Prompt rows that a step may have beside the requests that decode.
  func prefillBudget() -> Int {
    let decoding = start.decoding
    let budget = min(settings.prefill, settings.rows - decoding.count)
    guard settings.target > 0, !decoding.isEmpty else { return budget }
    let attended = decoding.reduce(0) { $0 + requests[$1].known }
    let context = running.filter { !$0.isDecoding }.map(\.computed).max() ?? 0
    let left = Double(settings.target) / 1000 - costs.seconds(rows: decoding.count, positions: attended)
    let each = costs.perRow + costs.perPosition * Double(context)
    return min(budget, max(1, Int(left / each)))
  }

  mutating func checkPlan(hasRows: Bool) throws(Violation) {
    try check(hasRows == !plan.runs.isEmpty, "a step of \(plan.runs.count) runs is announced as \(hasRows)")
    try checkShape()
    for run in plan.runs { try checkRun(run) }
    try checkBudget()
    try checkProgress()
    try checkAdmission()
  }

  /// Rows lie end to end, each of one run; counts are what they count.
  private func checkShape() throws(Violation) {
    var (row, prefill, decode, draft, samples, logits, attended) = (0, 0, 0, 0, 0, 0, 0)
    var previous: (isPrefill: Bool, place: Int) = (false, -1)
    for run in plan.runs {
      try check(run.rowStart == row && run.rowCount > 0, "\(run) leaves rows between runs")
      try check(holders.indices.contains(run.slot) && holders[run.slot] != nil, "\(run) is of an empty slot")
      let place = run.isPrefill ? rank.firstIndex(of: run.slot)! : run.slot
      try check(
        run.isPrefill
          ? !previous.isPrefill || place > previous.place : !previous.isPrefill && place > previous.place,
        "\(run) is out of order, or its slot has two runs")
      previous = (run.isPrefill, place)
      row += run.rowCount
      draft += run.draftCount
      if run.isPrefill { prefill += run.rowCount } else { decode += run.rowCount - run.draftCount }
      samples += run.samples ? 1 : 0
      logits += run.logits == .all ? run.rowCount : run.logits == .last ? 1 : 0
      for index in 0..<run.rowCount { attended += run.position + index + 1 }
    }
    try check(Set(plan.runs.map(\.slot)).count == plan.runs.count, "a slot has two runs")
    try check(row == plan.tokenIDs.count, "\(plan.tokenIDs.count) rows, \(row) in runs")
    try check(row <= settings.rows, "\(row) rows in a step of \(settings.rows)")
    let counts = [
      plan.prefillRowCount, plan.decodeRowCount, plan.draftRowCount, plan.sampleCount, plan.logitCount,
      plan.attendedCount,
    ]
    try check(
      counts == [prefill, decode, draft, samples, logits, attended],
      "the plan counts \(counts), it has \([prefill, decode, draft, samples, logits, attended])")
  }

  /// A run continues its request where it is, with its own tokens.
  private func checkRun(_ run: StepPlan.Run) throws(Violation) {
    let request = requests[holders[run.slot]!]
    try check(run.request == request.id, "\(run) is of \(request.id)")
    try check(run.position == request.computed, "\(run) does not start at \(request.computed)")
    let end = run.position + run.rowCount - run.draftCount
    try check(
      end <= request.known && run.rowCount > run.draftCount, "\(run) ends beyond \(request.known) tokens")
    let tokens = plan.tokenIDs[run.rowStart..<run.rowStart + run.rowCount]
    try check(
      tokens.prefix(end - run.position).elementsEqual(request.sequence[run.position..<end]),
      "\(run) has other tokens than its request")
    try check(
      run.isPrefill == !request.isDecoding, "\(run) is of a request that decodes: \(request.isDecoding)")
    try check(run.isPrefill || end - run.position == 1, "\(run) decodes and has more than a row")
    try check(
      run.samples == (end == request.known), "\(run) samples before its newest token, or not after it")
    let all = run.draftCount > 0 || request.mustScore
    try check(run.logits == (all ? .all : run.samples ? .last : .none), "\(run) gets the wrong logits")
    try checkDraft(run, Array(tokens.suffix(run.draftCount)), of: request)
    let held = pages.tables[run.slot].count
    try check(
      held == pageCount(for: max(request.reach, run.position + run.rowCount)), "\(run) holds \(held) pages")
  }

  /// Guesses follow the longest earlier occurrence of the newest tokens, and pay beside decoding requests only.
  private func checkDraft(_ run: StepPlan.Run, _ draft: [Int32], of request: SimulatedRequest)
    throws(Violation)
  {
    guard !draft.isEmpty else { return }
    try check(plan.prefillRowCount == 0, "\(run) guesses beside prompts")
    try check(draft.count <= settings.drafts, "\(run) guesses more than \(settings.drafts) tokens")
    try check(
      request.generated + draft.count < request.maxTokens, "\(run) guesses beyond the end of its request")
    let tokens = Array(request.tokens)
    var best: (length: Int, end: Int) = (1, 0)
    for end in 1..<tokens.count {
      var length = 0
      while length < 8, length < end, tokens[end - 1 - length] == tokens[tokens.count - 1 - length] {
        length += 1
      }
      if length >= max(2, best.length) { best = (length, end) }
    }
    try check(
      best.length >= 2 && tokens[best.end...].starts(with: draft),
      "\(run) guesses what never followed: \(draft)")
  }

  private func checkBudget() throws(Violation) {
    try check(
      plan.prefillBudget == start.budget,
      "a budget of \(plan.prefillBudget) prompt rows, expected \(start.budget)")
    let used = budgetUsed
    try check(used <= start.budget, "\(used) prompt rows, a budget of \(start.budget)")
    guard settings.target > 0, costs.perPosition == 0, plan.prefillRowCount > 1, plan.decodeRowCount > 0,
      used == plan.prefillRowCount
    else { return }
    let seconds = costs.seconds(rows: plan.rowCount, positions: 0)
    try check(
      seconds <= Double(settings.target) / 1000 + 1e-9, "a step of \(seconds) s, \(settings.target) ms asked")
  }

  /// Rows of those that did not decode when the step was begun.
  private var budgetUsed: Int {
    plan.runs.reduce(0) { sum, run in
      start.decoding.contains(holders[run.slot]!) ? sum : sum + run.rowCount - run.draftCount
    }
  }

  private var available: Int { settings.pages - pages.heldCount }

  /// Everybody in a slot moves, but for want of rows, of pages, or of what a relative is computing. The first always
  /// does.
  private mutating func checkProgress() throws(Violation) {
    let used = budgetUsed
    for (place, slot) in rank.enumerated() {
      let request = requests[holders[slot]!]
      let run = plan.runs.first { $0.slot == slot }
      let rows = run.map { $0.rowCount - $0.draftCount } ?? 0
      let wanted = start.decoding.contains(holders[slot]!) ? 1 : request.known - request.computed
      guard rows < wanted else { continue }
      try check(place > 0 || rows > 0, "\(request.id) is the first in rank and has no rows")
      let isWaiting = plan.waitingForPages.contains(request.id)
      if isWaiting {
        count(.waitsForPages)
        try check(rows == 0, "\(request.id) has rows and waits for pages")
        // Pages freed for one that comes after it are that one's.
        try check(
          available == 0 || start.preempted > 0, "\(request.id) waits for pages, \(available) are there")
      }
      let isStarved = isWaiting || used == start.budget || available == 0 || start.preempted > 0
      if rows == 0, !isWaiting, used < start.budget {
        try check(awaitsFamily(request, place: place), "\(request.id) has no rows and lacks nothing")
        count(.waitsForFamily)
      } else {
        try check(isStarved, "\(request.id) has \(rows) of \(wanted) rows, \(start.budget - used) are left")
      }
      if start.decoding.contains(holders[slot]!) {
        try check(isWaiting, "\(request.id) decodes and has no row")
      }
    }
    for id in plan.waitingForPages {
      let isKnown = live.contains(Int(id.rawValue))
      try check(isKnown, "\(id) waits for pages and is not there")
    }
  }

  /// Whether a relative that is earlier in rank computes what they have in common.
  private func awaitsFamily(_ request: SimulatedRequest, place: Int) -> Bool {
    guard let family = request.family, request.computed == 0, !request.mustScore else { return false }
    return rank[..<place].contains { slot in
      let other = requests[holders[slot]!]
      return other.id == family || other.family == family
    }
  }

  /// Who got a slot found pages for all its tokens, and one more for each that ran and may grow: looked at when it
  /// takes its first.
  func checkAdmission(before assignment: PageAssignment) throws(Violation) {
    guard settings.isStatic == 0, assignment.index == 0,
      let place = start.admitted.firstIndex(where: { requests[$0.request].slot == assignment.slot }),
      start.admitted[place].beside > 0
    else { return }
    let request = requests[start.admitted[place].request]
    let later = Set(start.admitted[(place + 1)...].map(\.request))
    let growing = running.count { $0.id != request.id && !later.contains(Int($0.id.rawValue)) && mayGrow($0) }
    var needed = pageCount(for: request.known)
    if !request.mustScore {
      for end in stride(from: settings.pageSize, to: request.known, by: settings.pageSize) {
        let isHeld = running.contains { other in
          other.id != request.id && other.contents.count >= end
            && pages.tables[other.slot!].count * settings.pageSize >= end
            && other.contents[end - 1] == request.contents[end - 1]
        }
        guard isHeld else { break }
        needed -= 1
      }
    }
    try check(
      needed + growing <= available,
      "\(request.id) got a slot and needs \(needed) pages beside \(growing) that grow, \(available) are left")
  }

  /// Whether a request in a slot holds fewer pages than its most tokens take.
  private func mayGrow(_ request: SimulatedRequest) -> Bool {
    pages.tables[request.slot!].count < pageCount(for: request.promptCount + request.maxTokens - 1)
  }

  /// No slot is left empty while rows and pages are there for who is next.
  private mutating func checkAdmission() throws(Violation) {
    if settings.isStatic == 1 {
      guard start.wasEmpty else { return }
    } else if budgetUsed >= start.budget {
      return
    }
    guard rank.count < settings.slots, let next = policy.next(of: waiting, beside: running) else { return }
    let request = requests[Int(next.rawValue)]
    let growing = running.count(where: mayGrow)
    let fits = rank.isEmpty || pageCount(for: request.known) + growing <= available
    try check(!fits, "\(next) could have a slot and \(available) pages, and waits")
    // Static admission is before anybody takes pages: whoever then lost its slot is not said to wait for them.
    let isTold = plan.waitingForPages.contains(next) || (settings.isStatic == 1 && start.preempted > 0)
    try check(isTold, "\(next) waits for pages and the step does not say so")
  }
}
