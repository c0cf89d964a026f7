import ApusEngine

/// What comes from outside: requests, and the end of requests.
extension Simulation {
  mutating func arrive() throws(Violation) {
    while arrived < arrivals.count, arrivals[arrived].at <= now {
      let arrival = arrivals[arrived]
      arrived += 1
      leaders.append(nil)
      guard !isShutDown else { continue }
      let fresh = newRequests(arrival)
      guard !fresh.isEmpty else { continue }
      if try submit(fresh) { leaders[arrived - 1] = Int(fresh[0].id.rawValue) }
    }
  }

  /// Completions of a prompt; a copy of a request that runs or waits; none if that one is gone.
  private func newRequests(_ arrival: History.Arrival) -> [SimulatedRequest] {
    func request(_ index: Int, _ beginning: [Int32], origin: SimulatedRequest?, family: Int?)
      -> SimulatedRequest
    {
      SimulatedRequest(
        id: RequestID(rawValue: UInt64(requests.count + index)), arrival: arrival, origin: origin,
        beginning: beginning, seed: UInt64(arrival.seed + index),
        family: family.map { RequestID(rawValue: UInt64($0)) },
        now: now, vocabulary: settings.vocabulary)
    }
    if arrival.fork > 0 {
      guard let parent = leaders[arrival.fork - 1], !requests[parent].isEnded else { return [] }
      return [request(0, Array(requests[parent].tokens), origin: requests[parent], family: parent)]
    }
    let prompt = TokenSource.prompt(of: arrival, vocabulary: settings.vocabulary)
    return (0..<arrival.count).map {
      request($0, prompt, origin: nil, family: arrival.count > 1 ? requests.count : nil)
    }
  }

  private mutating func submit(_ fresh: [SimulatedRequest]) throws(Violation) -> Bool {
    let expected = refusal(of: fresh)
    do throws(AdmissionError) {
      try scheduler.submit(fresh.map { $0.scheduled() })
    } catch {
      try check(expected == error, "refused as \(error), expected \(expected.map { "\($0)" } ?? "none")")
      count(.refused, fresh.count)
      return false
    }
    try check(expected == nil, "let in, expected \(expected!)")
    for request in fresh {
      let tenants = waitingTenants
      requests.append(request)
      live.append(Int(request.id.rawValue))
      if !tenants.contains(request.arrival.tenant) {
        policy.comesToWait(request.arrival.tenant, besides: tenants)
      }
    }
    count(.requests, fresh.count)
    return true
  }

  private func refusal(of fresh: [SimulatedRequest]) -> AdmissionError? {
    let waiting = self.waiting
    guard waiting.count + fresh.count <= settings.queue else { return .queueFull(limit: settings.queue) }
    let tokens = fresh.reduce(0) { $0 + $1.known }
    let waitingTokens = waiting.reduce(0) { $0 + $1.known }
    guard waitingTokens + tokens <= settings.queueTokens else {
      return .queueTokensFull(tokens: tokens, waiting: waitingTokens, limit: settings.queueTokens)
    }
    for request in fresh {
      let needed = pageCount(for: request.promptCount + request.maxTokens - 1)
      if needed > settings.pages { return .needsTooManyPages(needed: needed, pageCount: settings.pages) }
    }
    return nil
  }

  /// Ends those whose callers or readers are gone by now.
  mutating func cancelDue(inFlight: Bool) throws(Violation) {
    for index in live {
      let request = requests[index]
      guard request.arrival.cancel > 0, (request.arrival.inFlight == 1) == inFlight,
        arrivalTime(of: request) + request.arrival.cancel - 1 <= now
      else { continue }
      countCancellation(of: request, inFlight: inFlight)
      try cancel(request.id, reason: .cancelled)
      try check(requests[index].isEnded, "\(request.id) was cancelled and goes on")
    }
  }

  private func arrivalTime(of request: SimulatedRequest) -> Int { request.arrival.at }

  private mutating func countCancellation(of request: SimulatedRequest, inFlight: Bool) {
    if inFlight {
      count(.cancelledInFlight)
    } else if request.slot == nil {
      count(request.wasAdmitted ? .cancelledPreempted : .cancelledWaiting)
    } else {
      count(request.isDecoding ? .cancelledDecoding : .cancelledPrefilling)
    }
  }

  /// Cancels between deliveries.
  mutating func cancel(_ id: RequestID, reason: FinishReason) throws(Violation) {
    events.removeAll(keepingCapacity: true)
    permitted = .cancel(id, reason)
    scheduler.cancel(id, reason: reason, events: &events)
    tell(events)
    for event in events { try takeEnd(event) }
    permitted = .nothing
  }

  mutating func shutDownIfDue() throws(Violation) {
    guard settings.shutdown > 0, now >= settings.shutdown, !isShutDown else { return }
    isShutDown = true
    count(.shutdown, live.count)
    events.removeAll(keepingCapacity: true)
    permitted = .everything
    scheduler.cancelAll(reason: .shutdown, events: &events)
    tell(events)
    for event in events { try takeEnd(event) }
    permitted = .nothing
    try check(live.isEmpty, "\(live.map { requests[$0].id }) outlive the engine")
  }
}
