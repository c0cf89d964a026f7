import ApusEngine

/// What the scheduler says happened, held against what may happen.
extension Simulation {
  var waiting: [SimulatedRequest] { live.lazy.map { requests[$0] }.filter { $0.slot == nil } }
  var running: [SimulatedRequest] { live.lazy.map { requests[$0] }.filter { $0.slot != nil } }
  var waitingTenants: Set<Int> { Set(waiting.map(\.arrival.tenant)) }

  func pageCount(for positions: Int) -> Int { (positions + settings.pageSize - 1) / settings.pageSize }

  /// Those of a planned step: first who is out of time, then who comes and goes.
  mutating func takePlanEvents() throws(Violation) {
    var index = 0
    while index < events.count, case .finished = events[index] {
      try takeEnd(events[index])
      index += 1
    }
    for index in live {
      let request = requests[index]
      try check(request.deadline.map { $0 > now } ?? true, "\(request.id) outlives its deadline")
      let queueDeadline = request.wasAdmitted ? nil : request.queueDeadline
      try check(queueDeadline.map { $0 > now } ?? true, "\(request.id) waits beyond its deadline")
    }
    start = StepStart()
    start.wasEmpty = rank.isEmpty
    for slot in rank where requests[holders[slot]!].isDecoding { start.decoding.insert(holders[slot]!) }
    start.budget = prefillBudget()
    for event in events[index...] {
      switch event {
      case .admitted(let id, let slot): try admitted(id, slot)
      case .preempted(let id, let slot, let other): try preempted(id, slot, by: other)
      case .reused(let id, let positions): try reused(id, positions)
      case .token, .finished: throw Violation("\(event) while rows are given out")
      }
    }
  }

  private mutating func admitted(_ id: RequestID, _ slot: Int) throws(Violation) {
    let waiting = self.waiting
    let expected = policy.next(of: waiting, beside: running)
    try check(expected == id, "\(id) got a slot, expected \(expected.map { "\($0)" } ?? "none")")
    try check(settings.isStatic == 0 || start.wasEmpty, "\(id) got a slot while others run")
    try check(slot == holders.firstIndex(of: nil), "\(id) got slot \(slot), not the lowest free one")
    let index = Int(id.rawValue)
    let tenants = Set(waiting.map(\.arrival.tenant))
    requests[index].slot = slot
    requests[index].computed = 0
    requests[index].reach = 0
    holders[slot] = index
    let request = requests[index]
    if !waitingTenants.contains(request.arrival.tenant) {
      policy.waitsNoMore(request.arrival.tenant, among: tenants)
    }
    if !request.wasAdmitted {
      policy.served(request.arrival.tenant, prompt: request.promptCount, generated: 0)
      requests[index].wasAdmitted = true
      try overtake(by: id)
    }
    let place = rank.firstIndex { requests[holders[$0]!].arrival.priority > request.arrival.priority }
    rank.insert(slot, at: place ?? rank.count)
    start.admitted.append((index, rank.count - 1))
    count(.admissions)
  }

  /// Whoever waits and came before `id` has seen a later one go first.
  private mutating func overtake(by id: RequestID) throws(Violation) {
    for index in live where requests[index].slot == nil && requests[index].id < id {
      requests[index].overtaken += 1
      count(.overtaken)
      guard let most = policy.overtakenMax, !requests[index].wasAdmitted else { continue }
      try check(
        requests[index].overtaken <= most,
        "\(requests[index].id) was overtaken \(requests[index].overtaken) times, at most \(most) are promised"
      )
    }
  }

  private mutating func preempted(_ id: RequestID, _ slot: Int, by other: RequestID) throws(Violation) {
    let index = Int(id.rawValue)
    try check(
      requests.indices.contains(index) && requests[index].slot == slot, "\(id) is preempted in no slot of its"
    )
    try check(rank.last == slot, "\(id) is preempted and is not the last in rank")
    let taker = Int(other.rawValue)
    try check(
      other != id && requests.indices.contains(taker) && requests[taker].slot != nil,
      "\(id) is preempted by \(other), which does not run")
    let tenants = waitingTenants
    vacate(index)
    requests[index].preemptions += 1
    if !tenants.contains(requests[index].arrival.tenant) {
      policy.comesToWait(requests[index].arrival.tenant, besides: tenants)
    }
    start.decoding.remove(index)
    start.preempted += 1
    count(.preemptions)
  }

  private mutating func reused(_ id: RequestID, _ positions: Int) throws(Violation) {
    let index = Int(id.rawValue)
    try check(
      requests.indices.contains(index) && requests[index].slot != nil, "\(id) reuses pages and does not run")
    let request = requests[index]
    try check(!request.isDecoding, "\(id) decodes and reuses pages")
    try check(!request.mustScore, "\(id) reuses positions whose logits it wants")
    try check(
      positions > 0 && request.computed + positions < request.known,
      "\(id) reuses \(positions) positions after \(request.computed) and has \(request.known) tokens")
    requests[index].computed += positions
    requests[index].reach = requests[index].computed
    let isFork = request.family != nil && request.computed == 0
    count(isFork ? .forks : .cacheHits)
  }

  /// Takes slot and pages from a request.
  mutating func vacate(_ index: Int) {
    guard let slot = requests[index].slot else { return }
    requests[index].slot = nil
    requests[index].computed = 0
    requests[index].reach = 0
    holders[slot] = nil
    rank.removeAll { $0 == slot }
    pages.release(slot: slot)
  }

  /// Those of a step that ran. Who finds that nobody reads ends a request in between, as the engine does.
  mutating func takeOutputs() throws(Violation) {
    advance()
    unread.removeAll()
    var index = 0
    var next = Array(repeating: 0, count: drawn.count)
    while index < events.count {
      let event = events[index]
      index += 1
      switch event {
      case .token(let id, let slot, let token, let position, let sample):
        try taken(id, slot, token, position, sample, &next)
        let request = requests[Int(id.rawValue)]
        guard request.arrival.unread > 0, request.generated >= request.arrival.unread else { continue }
        // Tokens of the same step still arrive before the end. Where it ended by itself, nothing happens.
        let before = events.count
        scheduler.cancel(id, reason: .unread, events: &events)
        if events.count > before { unread.insert(id) }
      case .finished: try takeEnd(event)
      case .admitted, .preempted, .reused: throw Violation("\(event) after a step ran")
      }
    }
    try checkTaken(next)
  }

  private mutating func taken(
    _ id: RequestID, _ slot: Int, _ token: Int32, _ position: Int, _ sample: Int, _ next: inout [Int]
  ) throws(Violation) {
    guard let run = drawn.firstIndex(where: { requests[$0.request].id == id }) else {
      throw Violation("\(id) got a token and drew none")
    }
    let index = drawn[run].request
    let request = requests[index]
    try check(!request.isEnded, "\(id) got a token after its end")
    try check(request.slot == slot, "\(id) got a token in slot \(slot), expected \(request.slot ?? -1)")
    try check(
      sample == drawn[run].range.lowerBound + next[run], "\(id) got token \(sample) of the step, out of turn")
    try check(position == request.known, "\(id) got a token for \(position), expected \(request.known)")
    try check(position < request.sequence.count, "\(id) got a token after its last")
    try check(
      token == request.sequence[position],
      "\(id) got \(token) for position \(position), alone it would get \(request.sequence[position])")
    next[run] += 1
    requests[index].known += 1
    policy.served(request.arrival.tenant, prompt: 0, generated: 1)
  }

  /// Every token that was drawn arrived, unless the request ended from outside.
  private func checkTaken(_ next: [Int]) throws(Violation) {
    for (run, count) in zip(drawn, next) where count != run.range.count {
      let request = requests[run.request]
      try check(request.isEnded, "\(request.id) got \(count) of the \(run.range.count) tokens it drew")
    }
  }

  /// The end of a request, for a reason that holds.
  mutating func takeEnd(_ event: SchedulerEvent) throws(Violation) {
    guard case .finished(let id, let slot, let reason) = event else {
      throw Violation("\(event) where requests only end")
    }
    let index = Int(id.rawValue)
    try check(requests.indices.contains(index), "\(id) ended and never came")
    let request = requests[index]
    try check(!request.isEnded, "\(id) ended twice")
    try check(slot == request.slot, "\(id) ended in slot \(slot ?? -1), expected \(request.slot ?? -1)")
    try check(isJust(reason, for: request), "\(id) ended as \(reason), after \(request.generated) tokens")
    let tenants = waitingTenants
    vacate(index)
    requests[index].isEnded = true
    live.removeAll { $0 == index }
    if tenants != waitingTenants { policy.waitsNoMore(request.arrival.tenant, among: tenants) }
    if live.isEmpty { policy.forget() }
    countEnd(reason)
  }

  private func isJust(_ reason: FinishReason, for request: SimulatedRequest) -> Bool {
    switch permitted {
    case .nothing: return false
    case .everything: return reason == .shutdown
    case .cancel(let id, let expected): return id == request.id && reason == expected
    case .outputs:
      if unread.contains(request.id) { return reason == .unread }
      return request.known == request.sequence.count && reason == request.ending
    case .timeLimits:
      if let deadline = request.deadline, deadline <= now { return reason == .timedOut(.total) }
      guard let deadline = request.queueDeadline, deadline <= now else { return false }
      return !request.wasAdmitted && reason == .timedOut(.queue)
    }
  }

  private mutating func countEnd(_ reason: FinishReason) {
    switch reason {
    case .stop: count(.stop)
    case .stopCondition, .complete: count(.content)
    case .length: count(.length)
    case .failed: count(.failed)
    case .timedOut(.queue): count(.timedOutQueue)
    case .timedOut(.total): count(.timedOutTotal)
    case .unread: count(.unread)
    case .cancelled, .shutdown: break
    }
  }
}
