import ApusEngine
import ApusModel

/// Drives a scheduler by hand: names requests by small numbers, keeps its events.
struct SchedulerDriver {
  var scheduler: Scheduler
  var plan = StepPlan()
  /// The tokens of request `id` from position 0 on; by default no two requests have one in common.
  var promptToken: (_ id: UInt64, _ position: Int) -> Int32 = { Int32($1) + 1000 * Int32($0) }

  /// - Parameter pages: of the pool; nil for as many as full slots need.
  init(
    slots: Int = 2, rows: Int = 64, prefillStep: Int = 8, queue: Int = 100, queueTokens: Int = .max,
    admission: AdmissionMode = .continuous, pages: Int? = nil, pageSize: Int = 4, context: Int = 64,
    cachesPrefixes: Bool = true, draftMax: Int = 0, policy: any SchedulingPolicy = FIFOPolicy()
  ) {
    scheduler = Scheduler(
      limits: SchedulerLimits(
        slotCount: slots, rowsPerStepMax: rows, prefillStep: prefillStep, queueLengthMax: queue,
        queueTokensMax: queueTokens, admission: admission,
        pageCount: pages ?? slots * ((context + pageSize - 1) / pageSize), pageSize: pageSize,
        contextLength: context, cachesPrefixes: cachesPrefixes, draftMax: draftMax),
      policy: policy)
  }

  mutating func submit(
    _ id: UInt64, prompt: Int = 1, maxTokens: Int = 1, stop: [Int32] = [], minTokens: Int = 0,
    priority: Int = 0, tenant: String = "", queueDeadline: Duration? = nil, deadline: Duration? = nil,
    family: UInt64? = nil
  ) throws(AdmissionError) {
    let tokens = (0..<prompt).map { promptToken(id, $0) }
    try scheduler.submit([
      ScheduledRequest(
        id: RequestID(rawValue: id), promptTokens: tokens, maxTokens: maxTokens, stopTokenIDs: stop,
        minTokens: minTokens, priority: priority, tenant: tenant, queueDeadline: queueDeadline,
        deadline: deadline, family: family.map { RequestID(rawValue: $0) }, sharedCount: prompt)
    ])
  }

  /// Plans a step; the runs as (request, slot, position, rows).
  mutating func plan(at now: Duration = .zero, events: inout [SchedulerEvent]) -> [[Int]] {
    _ = scheduler.nextStep(into: &plan, under: StepConditions(now: now), events: &events)
    return plan.runs.map { [Int($0.request.rawValue), $0.slot, $0.position, $0.rowCount] }
  }

  /// Plans and finishes a step in which every sampling run gives `token`.
  @discardableResult
  mutating func step(
    token: Int32 = 7, at now: Duration = .zero
  ) -> (runs: [[Int]], events: [SchedulerEvent]) {
    var events: [SchedulerEvent] = []
    let runs = plan(at: now, events: &events)
    guard !runs.isEmpty else { return (runs, events) }
    finish(Array(repeating: token, count: plan.sampleCount), events: &events)
    return (runs, events)
  }

  /// Finishes the planned step with a token for each sampling run; nil: its logits were invalid.
  mutating func finish(_ tokens: [Int32?], events: inout [SchedulerEvent]) {
    var outcome = StepOutcome()
    for (token, run) in zip(tokens, plan.runs.filter(\.samples)) {
      outcome.beginRun()
      if let token {
        outcome.append(token)
      } else {
        outcome.end(.failed(.invalidLogits(request: run.request, position: run.position + run.rowCount)))
      }
    }
    scheduler.finish(plan, outcome: outcome, events: &events)
  }

  mutating func cancel(_ id: UInt64) -> [SchedulerEvent] {
    var events: [SchedulerEvent] = []
    scheduler.cancel(RequestID(rawValue: id), events: &events)
    return events
  }

  /// Steps until nothing is left; the requests in the order of their admissions.
  mutating func runToEnd(limit: Int = 10_000) -> [UInt64] {
    var admitted: [UInt64] = []
    for _ in 0..<limit {
      for case .admitted(let id, _) in step().events { admitted.append(id.rawValue) }
      if scheduler.isIdle { break }
    }
    return admitted
  }
}

func id(_ value: UInt64) -> RequestID { RequestID(rawValue: value) }
