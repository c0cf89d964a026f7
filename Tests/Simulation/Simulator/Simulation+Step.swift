import ApusEngine
import ApusModel

/// The model: writes rows to pages, looks at what rows attend to, and draws tokens from it.
extension Simulation {
  mutating func forward() throws(Violation) {
    for copy in plan.pageCopies { try pages.copy(copy) }
    count(.copies, plan.pageCopies.count)
    // All rows are appended before any is read, as in a layer.
    for run in plan.runs {
      var content = run.position > 0 ? requests[holders[run.slot]!].contents[run.position - 1] : 0
      for index in 0..<run.rowCount {
        content = TokenSource.content(after: content, token: plan.tokenIDs[run.rowStart + index])
        try pages.write(content, slot: run.slot, position: run.position + index)
      }
    }
    drawn.removeAll(keepingCapacity: true)
    outcome.removeAll()
    for run in plan.runs {
      let index = holders[run.slot]!
      try pages.check(
        slot: run.slot, hold: requests[index].contents[..<(run.position + run.rowCount - run.draftCount)])
      if run.samples { draw(run, index) }
    }
    count(.rows, plan.rowCount)
    count(.drafts, plan.draftRowCount)
  }

  /// As the engine does: token after token, as long as guesses were right and nothing ends the request.
  private mutating func draw(_ run: StepPlan.Run, _ index: Int) {
    let request = requests[index]
    let first = outcome.tokens.count
    outcome.beginRun()
    for guess in 0...run.draftCount {
      let position = request.known + guess
      guard position < request.sequence.count else {
        outcome.end(request.ending)
        break
      }
      let token = request.sequence[position]
      outcome.append(token)
      if position + 1 == request.sequence.count && !request.fails {
        if request.endsByContent { outcome.end(request.ending) }
        break
      }
      guard guess < run.draftCount,
        token == plan.tokenIDs[run.rowStart + run.rowCount - run.draftCount + guess]
      else { break }
      count(.accepted)
    }
    drawn.append((index, first..<outcome.tokens.count))
  }

  /// The rows have run: what slots hold now, before the tokens they gave.
  mutating func advance() {
    for run in plan.runs {
      // Whose slot it was may be gone.
      guard let index = holders[run.slot], requests[index].id == run.request else { continue }
      requests[index].reach = max(requests[index].reach, run.position + run.rowCount)
      if run.logits == .all {
        let end = min(requests[index].promptCount, run.position + run.rowCount)
        if run.position <= requests[index].scored {
          requests[index].scored = max(requests[index].scored, end)
        }
      }
      requests[index].computed += run.rowCount - run.draftCount
      if let tokens = drawn.first(where: { $0.request == index }) {
        requests[index].computed += max(0, tokens.range.count - 1)
      }
    }
  }
}
