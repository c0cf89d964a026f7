public import ApusEngine

/// Makes timelines of an engine's events, in the order it told them.
///
/// A step's time belongs to the phase of each request that has rows in it, but for what prompt rows of others added
/// to it: that is `behindPrompts`, by each of them in proportion to its rows. How much they added is told by the
/// scheduler's own cost model, learnt from the same steps. Time between steps belongs to what a request is in.
///
/// It keeps every request it sees: for runs that end.
public struct TimelineBuilder: Sendable {
  private struct Live: Sendable {
    /// In `timelines`.
    let index: Int
    var isWaiting = true
    var hasFirstToken = false
    /// Who took its pages last.
    var preemptedBy: RequestID?
    /// Positions computed at most, and those to compute again.
    var computedMax = 0
    var lost = 0
    var isRecomputing = false
  }

  /// Of all requests seen, in the order of arrival.
  public private(set) var timelines: [RequestTimeline] = []
  private var live: [RequestID: Live] = [:]
  /// Who has a slot, in the order of admission.
  private var running: [RequestID] = []
  private var costs = StepCostModel()

  public init() {}

  public init(_ events: some Sequence<EngineEvent>) {
    for event in events { take(event) }
  }

  /// Events of requests that did not arrive here are passed over.
  public mutating func take(_ event: EngineEvent) {
    switch event {
    case .submitted(let arrival, let time):
      guard live[arrival.id] == nil else { break }
      live[arrival.id] = Live(index: timelines.count)
      timelines.append(RequestTimeline(arrival, at: time))
    case .admitted(let id, _, let time):
      update(id, until: time) {
        $0.isWaiting = false
        $0.isRecomputing = $0.preemptedBy != nil
      }
      passWaiting(until: time)
      running.append(id)
    case .reused: break
    case .preempted(let id, _, let other, let time):
      update(id, until: time) {
        $0.isWaiting = true
        $0.preemptedBy = other
        $0.lost = $0.computedMax
      }
      leave(id, at: time)
    case .step(let step): take(step)
    case .token(let id, _, _, let time):
      guard let request = live[id] else { break }
      timelines[request.index].generatedTokenCount += 1
      guard !request.hasFirstToken || request.isRecomputing else { break }
      update(id, until: time) {
        $0.hasFirstToken = true
        $0.isRecomputing = false
      }
    case .finished(let id, _, let reason, let time):
      guard let request = live[id] else { break }
      update(id, until: time) { _ in }
      let submitted = timelines[request.index].submitted
      timelines[request.index].finished = timelines[request.index].parts.last?.end ?? submitted
      timelines[request.index].finishReason = reason
      live[id] = nil
      leave(id, at: time)
    }
  }

  /// What a request is in passes until `time`; then it changes.
  private mutating func update(_ id: RequestID, until time: Duration, _ change: (inout Live) -> Void) {
    guard var request = live[id] else { return }
    pass(request, until: time)
    change(&request)
    live[id] = request
  }

  /// A slot is free.
  private mutating func leave(_ id: RequestID, at time: Duration) {
    guard let place = running.firstIndex(of: id) else { return }
    passWaiting(until: time)
    running.remove(at: place)
  }

  /// Who waits does so behind others from now on.
  private mutating func passWaiting(until time: Duration) {
    for request in live.values where request.isWaiting { pass(request, until: time) }
  }

  private mutating func pass(_ request: Live, until time: Duration) {
    let causes = request.preemptedBy.map { [$0] } ?? []
    if request.isWaiting {
      let isQueued = request.preemptedBy == nil
      timelines[request.index].extend(
        to: time, isQueued ? .queued : .preempted, by: isQueued ? running : causes)
    } else if request.isRecomputing {
      timelines[request.index].extend(to: time, .recomputing, by: causes)
    } else {
      timelines[request.index].extend(to: time, request.hasFirstToken ? .decode : .prefill)
    }
  }

  private mutating func take(_ step: StepRecord) {
    let rows = step.runs.reduce(0) { $0 + $1.rowCount }
    let positions = step.runs.reduce(0) { $0 + $1.attendedCount }
    costs.record(rows: rows, positions: positions, seconds: (step.end - step.start).inSeconds)
    var runs: [RequestID: StepRecord.Run] = [:]
    for run in step.runs { runs[run.request] = run }
    let prompts = step.runs.filter(\.isPrefill)
    for id in Array(live.keys) {
      let request = live[id]!
      pass(request, until: step.start)
      if let run = runs[id] {
        share(step, run, prompts: prompts, rows: rows, positions: positions)
      } else if step.waitingForPages.contains(id), !request.isWaiting || request.preemptedBy == nil {
        timelines[request.index].extend(to: step.end, .waitingForPages, by: running.filter { $0 != id })
      } else if request.isWaiting {
        pass(request, until: step.end)
      } else {
        let others = prompts.isEmpty ? step.runs : prompts
        timelines[request.index].extend(to: step.end, .behindPrompts, by: others.map(\.request))
      }
    }
  }

  /// The step's time of a request that has rows in it.
  private mutating func share(
    _ step: StepRecord, _ run: StepRecord.Run, prompts: [StepRecord.Run], rows: Int, positions: Int
  ) {
    var request = live[run.request]!
    request.isRecomputing = request.preemptedBy != nil && run.isPrefill && run.position < request.lost
    request.computedMax = max(request.computedMax, run.position + run.rowCount - run.draftCount)
    live[run.request] = request
    let others = prompts.filter { $0.request != run.request }
    let otherRows = others.reduce(0) { $0 + $1.rowCount }
    let start = max(step.start, timelines[request.index].parts.last?.end ?? step.start)
    if otherRows > 0, step.end > start {
      let otherPositions = others.reduce(0) { $0 + $1.attendedCount }
      let all = costs.costs.seconds(rows: rows, positions: positions)
      let without = costs.costs.seconds(rows: rows - otherRows, positions: positions - otherPositions)
      let own = all > 0 ? min(max(without / all, 0), 1) : 1
      pass(request, until: start + (step.end - start) * own)
      var seen = 0
      for other in others {
        seen += other.rowCount
        let share = own + (1 - own) * Double(seen) / Double(otherRows)
        let end = seen == otherRows ? step.end : start + (step.end - start) * share
        timelines[request.index].extend(to: min(end, step.end), .behindPrompts, by: [other.request])
      }
    }
    // What is left: all of it, where nobody else had prompt rows.
    pass(request, until: step.end)
  }
}

extension StepRecord.Run {
  /// Positions that the rows attend to, all together.
  var attendedCount: Int { rowCount * position + rowCount * (rowCount + 1) / 2 }
}
