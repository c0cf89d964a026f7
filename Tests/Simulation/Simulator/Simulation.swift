import ApusEngine

/// Drives a scheduler through a history, with a model that computes nothing and a clock that nobody waits for, and
/// keeps its own account of who holds what: every step is held against it.
package struct Simulation {
  let settings: History.Settings
  let arrivals: [History.Arrival]

  var scheduler: Scheduler
  var plan = StepPlan()
  var outcome = StepOutcome()
  var events: [SchedulerEvent] = []

  /// All that were let in, by id.
  var requests: [SimulatedRequest] = []
  /// Those that have not ended, by id, and the slots in use by rank.
  var live: [Int] = []
  var rank: [Int] = []
  /// The request in each slot.
  var holders: [Int?]
  var pages: SimulatedPages
  var policy: ReferencePolicy
  var costs: StepCosts

  /// Milliseconds.
  var now = 0
  var arrived = 0
  /// Of each arrival that was let in: its first request.
  var leaders: [Int?] = []
  var isShutDown = false
  /// What the calls that are under way may end.
  var permitted = Permission.nothing
  /// Of the step that is delivered: those that were found to have no reader.
  var unread: Set<RequestID> = []
  var start = StepStart()
  /// Of each run that samples: its request and its tokens in the outcome.
  var drawn: [(request: Int, range: Range<Int>)] = []
  package private(set) var coverage = Coverage()
  /// Is told what happens, line by line.
  package var trace: ((String) -> Void)?

  /// Who may be ended by what runs now, and why.
  enum Permission: Equatable {
    case nothing
    case cancel(RequestID, FinishReason)
    case everything
    case timeLimits
    case outputs
  }

  /// What was there when rows were about to be given out.
  struct StepStart {
    var decoding: Set<Int> = []
    var budget = 0
    var wasEmpty = false
    /// Who got a slot, and how many ran then.
    var admitted: [(request: Int, beside: Int)] = []
    var preempted = 0
  }

  /// - Parameter history: any numbers: they are put into their ranges.
  package init(_ history: History) {
    let history = history.normalized
    settings = history.settings
    arrivals = history.arrivals
    policy = ReferencePolicy(settings)
    costs = StepCosts.assumed
    costs.perPosition = Double(settings.perPosition) * 1e-6
    pages = SimulatedPages(
      pageCount: settings.pages, pageSize: settings.pageSize, slotCount: settings.slots)
    holders = Array(repeating: nil, count: settings.slots)
    scheduler = Scheduler(
      limits: SchedulerLimits(
        slotCount: settings.slots, rowsPerStepMax: settings.rows, prefillStep: settings.prefill,
        queueLengthMax: settings.queue, queueTokensMax: settings.queueTokens,
        admission: settings.isStatic == 1 ? .static : .continuous, pageCount: settings.pages,
        pageSize: settings.pageSize, contextLength: settings.context, cachesPrefixes: settings.caching == 1,
        draftMax: settings.drafts),
      policy: policy.policy)
  }

  /// Runs a history to its end. Nil: all held.
  package static func violation(in history: History) -> Violation? {
    var simulation = Simulation(history)
    return simulation.run()
  }

  /// Runs to the end. Nil: all held.
  package mutating func run() -> Violation? {
    coverage[.histories] += 1
    do throws(Violation) {
      try runToEnd()
      return nil
    } catch {
      var violation = error
      violation.step = coverage[.steps]
      return violation
    }
  }

  private mutating func runToEnd() throws(Violation) {
    var guardSteps = 0
    while true {
      try arrive()
      try cancelDue(inFlight: false)
      try shutDownIfDue()
      let hasRows = try planStep()
      if hasRows {
        try forward()
        try cancelDue(inFlight: true)
        try finishStep()
      }
      try checkState()
      coverage[.steps] += 1
      guardSteps += 1
      try check(guardSteps <= stepsMax, "\(live.count) requests do not end")
      now += settings.tick
      if !hasRows {
        try check(live.isEmpty, "nothing runs, and \(live.map { requests[$0].id }) have not ended")
        guard arrived < arrivals.count else { break }
        now = max(now, arrivals[arrived].at)
      }
    }
    try checkEnd()
  }

  /// Every step moves the first in rank by a position at least. It starts anew where it is displaced and then
  /// preempted, which each request does to each other once at most.
  private var stepsMax: Int {
    let positions = requests.reduce(0) { $0 + $1.promptCount + $1.maxTokens }
    return 10 + arrivals.count + positions * (1 + requests.count)
  }

  func tell(_ events: [SchedulerEvent]) {
    for event in events { trace?("  \(event)") }
  }

  private func tell() {
    guard let trace else { return }
    trace("step \(coverage[.steps]) at \(now) ms, \(plan.prefillBudget) prompt rows")
    tell(events)
    for assignment in plan.pageAssignments {
      trace("  page \(assignment.page) is entry \(assignment.index) of slot \(assignment.slot)")
    }
    for copy in plan.pageCopies { trace("  page \(copy.source) is copied to \(copy.target)") }
    for run in plan.runs {
      trace(
        "  \(run.request) in slot \(run.slot): \(run.rowCount) rows from \(run.position), \(run.draftCount) guesses"
      )
    }
    for id in plan.waitingForPages { trace("  \(id) waits for pages") }
  }

  mutating func count(_ counter: Coverage.Counter, _ amount: Int = 1) { coverage[counter] += amount }

  private mutating func planStep() throws(Violation) -> Bool {
    events.removeAll(keepingCapacity: true)
    permitted = .timeLimits
    var conditions = StepConditions(now: .milliseconds(now), costs: costs)
    if settings.target > 0 { conditions.target = Double(settings.target) / 1000 }
    let hasRows = scheduler.nextStep(into: &plan, under: conditions, events: &events)
    tell()
    try takePlanEvents()
    permitted = .nothing
    pages.begin()
    for assignment in plan.pageAssignments {
      try checkAdmission(before: assignment)
      try pages.assign(assignment)
    }
    try checkPlan(hasRows: hasRows)
    return hasRows
  }

  private mutating func finishStep() throws(Violation) {
    events.removeAll(keepingCapacity: true)
    permitted = .outputs
    scheduler.finish(plan, outcome: outcome, events: &events)
    tell(events)
    try takeOutputs()
    permitted = .nothing
  }
}
