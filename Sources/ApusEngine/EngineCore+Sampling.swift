import ApusModel

extension EngineCore {
  /// Draws the tokens of the step's runs from their logits.
  func sampleRows(_ logits: UnsafeMutableBufferPointer<Float>) {
    let width = model.vocabularySize
    precondition(logits.count == plan.logitCount * width, "the model gave \(logits.count) logits")
    outcome.removeAll()
    var row = 0
    for run in plan.runs {
      defer { row += run.logitCount }
      guard run.samples else { continue }
      outcome.beginRun()
      // The rows that sample are the last ones: the newest token's, and those of guesses after it.
      let first = row + run.logitCount - 1 - run.draftCount
      for index in 0...run.draftCount {
        let start = (first + index) * width
        let values = UnsafeMutableBufferPointer(rebasing: logits[start..<start + width])
        guard drawToken(of: run, index: index, values) else { break }
      }
    }
  }

  /// Draws the token after a run's newest one and `index` guesses that were right. False: the next row does not count.
  private func drawToken(of run: StepPlan.Run, index: Int, _ logits: UnsafeMutableBufferPointer<Float>)
    -> Bool
  {
    guard let record = records[run.request], let request = scheduler.request(inSlot: run.slot) else {
      preconditionFailure("\(run.request) has no record")
    }
    let position = run.position + run.rowCount - run.draftCount + index
    guard
      let sample = sampler.sample(
        UnsafeBufferPointer(logits), parameters: record.request.sampling, seed: record.seed,
        position: position)
    else {
      outcome.end(.failed(.invalidLogits(request: run.request, position: position)))
      return false
    }
    outcome.append(sample.token, logprobs: sample.logprobs)
    if let ending = endingByContent(run.request, after: sample.token) {
      // What the scheduler knows by itself comes first: it says the token that stopped.
      outcome.end(ending)
      return false
    }
    if request.finishReason(after: sample.token, generatedCount: request.generatedCount + index) != nil {
      return false
    }
    guard index < run.draftCount else { return false }
    return plan.tokenIDs[run.rowStart + run.rowCount - run.draftCount + index] == sample.token
  }

  /// Tells a request's conditions of its next token; why it ends, if one of them ends it.
  private func endingByContent(_ id: RequestID, after token: Int32) -> FinishReason? {
    if records[id]!.constraint != nil {
      records[id]!.constraint!.advance(token)
      if records[id]!.constraint!.isComplete { return .complete }
    }
    if records[id]!.stopCondition?.shouldStop(after: token) == true { return .stopCondition }
    return nil
  }
}
