import ApusEngine
import ApusModel

/// Drives a scheduler by hand: names requests by small numbers, keeps its events.
struct SchedulerDriver {
  var scheduler: Scheduler
  var plan = StepPlan()
  /// Pages that `reserve` may still hand out, one a request. Nil: no limit.
  var freePages: Int?

  init(
    slots: Int = 2, rows: Int = 64, prefillStep: Int = 8, queue: Int = 100,
    admission: AdmissionMode = .continuous
  ) {
    scheduler = Scheduler(
      limits: SchedulerLimits(
        slotCount: slots, rowsPerStepMax: rows, prefillStep: prefillStep, queueLengthMax: queue,
        admission: admission))
  }

  mutating func submit(
    _ id: UInt64, prompt: Int = 1, maxTokens: Int = 1, stop: [Int32] = []
  ) throws(AdmissionError) {
    try scheduler.submit(
      ScheduledRequest(
        id: RequestID(rawValue: id), promptTokens: (0..<prompt).map { Int32($0) + 1000 * Int32(id) },
        maxTokens: maxTokens, stopTokenIDs: stop))
  }

  /// Plans a step; the runs as (request, slot, position, rows).
  mutating func plan(events: inout [SchedulerEvent]) -> [[Int]] {
    var pages = freePages
    _ = scheduler.nextStep(into: &plan, events: &events) { slot, _ in
      guard let free = pages else { return nil }
      guard free > 0 else { return .outOfPages(slot: slot, needed: 1, free: 0) }
      pages = free - 1
      return nil
    }
    freePages = pages
    return plan.runs.map { [Int($0.request.rawValue), $0.slot, $0.position, $0.rowCount] }
  }

  /// Plans and finishes a step in which every sampling run gives `token`.
  @discardableResult
  mutating func step(token: Int32 = 7) -> (runs: [[Int]], events: [SchedulerEvent]) {
    var events: [SchedulerEvent] = []
    let runs = plan(events: &events)
    guard !runs.isEmpty else { return (runs, events) }
    scheduler.finish(
      plan, outcomes: Array(repeating: .token(token), count: plan.sampleCount), events: &events)
    return (runs, events)
  }

  mutating func cancel(_ id: UInt64) -> [SchedulerEvent] {
    var events: [SchedulerEvent] = []
    scheduler.cancel(RequestID(rawValue: id), events: &events)
    return events
  }
}

func id(_ value: UInt64) -> RequestID { RequestID(rawValue: value) }
