import ApusEngine
import ApusModel
import TestSupport

/// One random history of a scheduler with a pool of pages, checked after every step. The same seed gives the
/// same history.
final class SchedulerSimulation {
  private struct Request {
    var prompt: Int
    var maxTokens: Int
    var stopsAt: Int?
    var computed = 0
    var generated = 0
    var slot: Int?
    var ended = 0
    var wasCancelled = false
  }

  private static let stopToken: Int32 = 9

  private var random: SplitMix64
  private let limits: SchedulerLimits
  private let pages: Int
  private let pageSize: Int
  private var scheduler: Scheduler
  private var plan = StepPlan()
  private var requests: [Request] = []
  private var heldPages: [Int]
  private var lastAdmitted = -1
  private var unstarted: [Int] = []
  private(set) var violations: [String] = []
  private(set) var stepCount = 0

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    let slots = Int.random(in: 1...8, using: &random)
    limits = SchedulerLimits(
      slotCount: slots, rowsPerStepMax: slots + Int.random(in: 0...24, using: &random),
      prefillStep: Int.random(in: 1...16, using: &random),
      queueLengthMax: Int.random(in: 1...12, using: &random),
      admission: Int.random(in: 0..<4, using: &random) == 0 ? .static : .continuous)
    pageSize = Int.random(in: 1...8, using: &random)
    pages = Int.random(in: 4...40, using: &random)
    scheduler = Scheduler(limits: limits)
    heldPages = Array(repeating: 0, count: slots)
  }

  /// Runs the history to its end and returns what was violated.
  func run() -> [String] {
    let arrivals = Int.random(in: 1...24, using: &random)
    while violations.isEmpty && (requests.count < arrivals || !scheduler.isIdle) {
      if requests.count < arrivals, Bool.random(using: &random) { submit() }
      if Int.random(in: 0..<10, using: &random) == 0, !requests.isEmpty { cancelOne() }
      step()
      check(stepCount < 5000, "does not end")
    }
    for (id, request) in requests.enumerated() {
      check(request.ended == 1, "\(id) ended \(request.ended) times")
    }
    check(heldPages.allSatisfy { $0 == 0 }, "pages are held after the end: \(heldPages)")
    check(scheduler.freeSlotCount == limits.slotCount, "slots are held after the end")
    return violations
  }

  private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { violations.append("step \(stepCount): \(message())") }
  }

  private func submit() {
    let id = requests.count
    let request = Request(
      prompt: Int.random(in: 1...40, using: &random), maxTokens: Int.random(in: 1...16, using: &random),
      stopsAt: Bool.random(using: &random) ? Int.random(in: 1...16, using: &random) : nil)
    let wasFull = scheduler.waitingCount == limits.queueLengthMax
    do throws(AdmissionError) {
      try scheduler.submit(
        ScheduledRequest(
          id: RequestID(rawValue: UInt64(id)), promptTokens: Array(repeating: 1, count: request.prompt),
          maxTokens: request.maxTokens, stopTokenIDs: [Self.stopToken]))
      check(!wasFull, "a full queue took a request")
      requests.append(request)
      unstarted.append(id)
    } catch {
      check(wasFull, "\(error) with \(scheduler.waitingCount) waiting")
    }
  }

  private func cancelOne() {
    let id = Int.random(in: 0..<requests.count, using: &random)
    let hadEnded = requests[id].ended > 0
    var events: [SchedulerEvent] = []
    scheduler.cancel(RequestID(rawValue: UInt64(id)), events: &events)
    check(events.count == (hadEnded ? 0 : 1), "cancelling \(id) gave \(events)")
    requests[id].wasCancelled = true
    take(events)
  }

  private func step() {
    stepCount += 1
    var events: [SchedulerEvent] = []
    var held = heldPages
    let (pages, pageSize) = (pages, pageSize)
    var wasRefused = false
    let hasWork = scheduler.nextStep(into: &plan, events: &events) { slot, positions in
      let needed = (positions + pageSize - 1) / pageSize
      let free = pages - held.reduce(0, +)
      wasRefused = needed > free
      guard !wasRefused else { return .outOfPages(slot: slot, needed: needed, free: free) }
      held[slot] = needed
      return nil
    }
    heldPages = held
    take(events)
    checkPlan(wasRefused: wasRefused)
    guard hasWork else {
      check(scheduler.isIdle, "nothing planned while requests wait or run")
      return
    }
    // A cancellation may fall between plan and outcome.
    if Int.random(in: 0..<20, using: &random) == 0 { cancelOne() }
    var outcomes: [RowOutcome] = []
    for run in plan.runs where run.samples {
      let request = requests[Int(run.request.rawValue)]
      outcomes.append(.token(request.stopsAt == request.generated + 1 ? Self.stopToken : 1))
    }
    for run in plan.runs where requests[Int(run.request.rawValue)].ended == 0 {
      requests[Int(run.request.rawValue)].computed += run.rowCount
    }
    events = []
    scheduler.finish(plan, outcomes: outcomes, events: &events)
    take(events)
  }

  private func checkPlan(wasRefused: Bool) {
    check(plan.rowCount <= limits.rowsPerStepMax, "\(plan.rowCount) rows")
    check(plan.prefillRowCount <= limits.prefillStep, "\(plan.prefillRowCount) prefill rows")
    check(plan.runs.reduce(0) { $0 + $1.rowCount } == plan.rowCount, "runs and rows differ")
    check(Set(plan.runs.map(\.slot)).count == plan.runs.count, "a slot has two runs")
    var withRows = Set<Int>()
    for run in plan.runs {
      let request = requests[Int(run.request.rawValue)]
      withRows.insert(Int(run.request.rawValue))
      check(request.slot == run.slot, "\(run.request) runs in slot \(run.slot)")
      check(run.position == request.computed, "\(run.request) skips or repeats positions")
      check(request.ended == 0, "\(run.request) runs after its end")
      let known = request.prompt + request.generated
      check(run.samples == (run.position + run.rowCount == known), "\(run.request) samples at the wrong row")
    }
    let isSpent =
      plan.prefillRowCount == limits.prefillStep || plan.rowCount == limits.rowsPerStepMax
    for (id, request) in requests.enumerated() where request.slot != nil && !withRows.contains(id) {
      check(request.generated == 0, "\(id) decodes and was given no row")
      check(isSpent, "\(id) was given no row within budget")
    }
    if limits.admission == .continuous && scheduler.freeSlotCount > 0 && scheduler.waitingCount > 0 {
      check(isSpent || wasRefused, "a slot is free, requests wait and the budget is not spent")
    }
  }

  private func take(_ events: [SchedulerEvent]) {
    for event in events {
      switch event {
      case .admitted(let id, let slot):
        let index = Int(id.rawValue)
        check(!requests.contains { $0.slot == slot }, "slot \(slot) is given twice")
        check(index > lastAdmitted && unstarted.first == index, "\(id) overtakes \(unstarted)")
        unstarted.removeAll { $0 == index }
        lastAdmitted = index
        requests[index].slot = slot
      case .token(let id, _, _, let position):
        let request = requests[Int(id.rawValue)]
        check(position == request.prompt + request.generated, "\(id) generates position \(position)")
        check(request.computed == position, "\(id) generates before its positions ran")
        requests[Int(id.rawValue)].generated += 1
      case .finished(let id, let slot, let reason):
        finish(Int(id.rawValue), slot: slot, reason: reason)
      }
    }
  }

  private func finish(_ id: Int, slot: Int?, reason: FinishReason) {
    let request = requests[id]
    requests[id].ended += 1
    requests[id].slot = nil
    unstarted.removeAll { $0 == id }
    check(request.slot == slot, "\(id) ends in slot \(String(describing: slot))")
    if let slot { heldPages[slot] = 0 }
    switch reason {
    case .length: check(request.generated == request.maxTokens, "\(id) ends early")
    case .stop: check(request.generated == request.stopsAt, "\(id) stops at the wrong token")
    case .cancelled: check(request.wasCancelled, "\(id) was not cancelled")
    case .failed:
      let needed = (request.prompt + request.maxTokens - 1 + pageSize - 1) / pageSize
      check(needed > pages, "\(id) failed and would have fitted")
    case .shutdown: check(false, "\(id) was shut down")
    }
  }
}
