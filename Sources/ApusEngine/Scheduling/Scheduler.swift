/// Decides which rows each step runs, and which pages hold them. Never waits, computes or talks: a value, driven as
/// `submit`..., `nextStep`, (the model runs), `finish`, `nextStep`, ...
///
/// - **Admission**: while a slot is free and prompt rows are left, the policy's choice among the waiting gets the
///   slot, if there are pages for all its tokens and one more for each request that runs. If not, it waits, and all
///   others with it.
/// - **Steps**: one row for every decoding request, and, within the budget, chunks of prompts in the order of
///   admission (mixed batches: Orca, Yu et al. 2022; chunked prefill: Sarathi-Serve, Agrawal et al. 2024).
/// - **Pages** are taken as sequences grow. Requests are ranked by priority, then by admission; one that finds no page
///   takes those of the last in rank below it, which goes back to the queue and is computed again later. The first in
///   rank therefore always moves, and every request, in its time, becomes the first: a request that fits the pool
///   alone ends. One of low priority too: preempted, it waits before later ones, which get no slot as long as it has
///   none; let in, its prompt takes the budget before theirs. So each time it gains a token, which it keeps.
package struct Scheduler: Sendable {
  package let limits: SchedulerLimits
  package internal(set) var policy: any SchedulingPolicy
  package internal(set) var memory: SequenceMemory
  var waiting = RequestQueue()
  var allocator: SlotAllocator
  /// The running request of each slot.
  var running: [ScheduledRequest?]
  /// Slots in use, by rank.
  var order: [Int] = []
  /// Of the step that is planned: rows of each slot.
  var plannedRows: [Int]
  var drafts: [Range<Int>]
  /// Of each slot: positions that were computed, or were to be copied, before the rows of the step run.
  var settled: [Int]
  var isStepInFlight = false
  /// No request ends by its deadlines before this.
  var nextDeadline = Duration.seconds(Int64.max)

  package init(limits: SchedulerLimits, policy: any SchedulingPolicy = FIFOPolicy()) {
    self.limits = limits
    self.policy = policy
    memory = SequenceMemory(
      pageCount: limits.pageCount, pageSize: limits.pageSize, slotCount: limits.slotCount,
      contextLength: limits.contextLength, cachesPrefixes: limits.cachesPrefixes)
    allocator = SlotAllocator(slotCount: limits.slotCount)
    running = Array(repeating: nil, count: limits.slotCount)
    plannedRows = Array(repeating: 0, count: limits.slotCount)
    drafts = Array(repeating: 0..<0, count: limits.slotCount)
    settled = plannedRows
    order.reserveCapacity(limits.slotCount)
  }

  package var waitingCount: Int { waiting.count }
  package var waitingTokenCount: Int { waiting.tokenCount }
  package var runningCount: Int { limits.slotCount - allocator.freeCount }
  package var freeSlotCount: Int { allocator.freeCount }
  package var isIdle: Bool { waiting.isEmpty && allocator.isAllFree }
  /// The request in `slot`.
  package func request(inSlot slot: Int) -> ScheduledRequest? { running[slot] }
  /// The `index`-th of the waiting, by arrival.
  package func waitingRequest(at index: Int) -> ScheduledRequest { waiting[index] }
  /// Slots in use: the first keeps its pages longest.
  package var slotsByRank: [Int] { order }

  /// The request, wherever it is.
  package func request(_ id: RequestID) -> ScheduledRequest? {
    if let index = waiting.index(of: id) { return waiting[index] }
    return slot(of: id).flatMap { running[$0] }
  }

  func slot(of id: RequestID) -> Int? { order.first { running[$0]?.id == id } }

  /// Queues requests in order.
  /// - Throws: `.queueFull`, `.queueTokensFull`, `.needsTooManyPages`; nothing was queued.
  package mutating func submit(_ requests: [ScheduledRequest]) throws(AdmissionError) {
    guard waiting.count + requests.count <= limits.queueLengthMax else {
      throw .queueFull(limit: limits.queueLengthMax)
    }
    let tokenCount = requests.reduce(0) { $0 + $1.tokens.count }
    guard tokenCount <= limits.queueTokensMax - waiting.tokenCount else {
      throw .queueTokensFull(tokens: tokenCount, waiting: waiting.tokenCount, limit: limits.queueTokensMax)
    }
    for request in requests {
      let needed = memory.pages(for: request.positionsMax)
      guard needed <= limits.pageCount else {
        throw .needsTooManyPages(needed: needed, pageCount: limits.pageCount)
      }
    }
    for request in requests {
      for case let deadline? in [request.queueDeadline, request.deadline] {
        nextDeadline = min(nextDeadline, deadline)
      }
      policy.submitted(by: request.tenant)
      waiting.insert(request)
    }
  }

  /// Ends a request wherever it is, also while a step runs. Unknown and finished ones are left alone.
  package mutating func cancel(
    _ id: RequestID, reason: FinishReason = .cancelled, events: inout [SchedulerEvent]
  ) {
    if let index = waiting.index(of: id) {
      endWaiting(index, reason: reason, events: &events)
    } else if let slot = slot(of: id) {
      end(slot: slot, reason: reason, events: &events)
    }
  }

  /// Ends every request, running ones first.
  package mutating func cancelAll(reason: FinishReason, events: inout [SchedulerEvent]) {
    while let slot = order.first { end(slot: slot, reason: reason, events: &events) }
    while !waiting.isEmpty { endWaiting(0, reason: reason, events: &events) }
  }

  mutating func endWaiting(_ index: Int, reason: FinishReason, events: inout [SchedulerEvent]) {
    let request = waiting.remove(at: index)
    policy.ended(of: request.tenant, wasWaiting: true)
    events.append(.finished(request.id, slot: nil, reason: reason))
  }

  mutating func end(slot: Int, reason: FinishReason, events: inout [SchedulerEvent]) {
    let request = vacate(slot)
    policy.ended(of: request.tenant, wasWaiting: false)
    events.append(.finished(request.id, slot: slot, reason: reason))
  }

  /// Takes slot and pages from their request.
  mutating func vacate(_ slot: Int) -> ScheduledRequest {
    guard let request = running[slot] else { preconditionFailure("no request in slot \(slot)") }
    running[slot] = nil
    order.removeAll { $0 == slot }
    memory.release(slot)
    do { try allocator.free(slot) } catch { preconditionFailure("\(error)") }
    return request
  }

  /// Ends requests whose time has passed.
  mutating func expire(at now: Duration, events: inout [SchedulerEvent]) {
    guard now >= nextDeadline else { return }
    nextDeadline = .seconds(Int64.max)
    var index = 0
    while index < waiting.count {
      let request = waiting[index]
      let queueDeadline = request.wasAdmitted ? nil : request.queueDeadline
      if let deadline = request.deadline, deadline <= now {
        endWaiting(index, reason: .timedOut(.total), events: &events)
      } else if let queueDeadline, queueDeadline <= now {
        endWaiting(index, reason: .timedOut(.queue), events: &events)
      } else {
        for case let deadline? in [request.deadline, queueDeadline] {
          nextDeadline = min(nextDeadline, deadline)
        }
        index += 1
      }
    }
    for slot in running.indices {
      guard let deadline = running[slot]?.deadline else { continue }
      if deadline <= now {
        end(slot: slot, reason: .timedOut(.total), events: &events)
      } else {
        nextDeadline = min(nextDeadline, deadline)
      }
    }
  }
}
