import ApusKernels
import ApusModel

/// A step's sampling, as the threads of a team are handed it.
final class SamplingWork: TeamWork {
  private unowned let core: EngineCore
  var logits = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)

  init(_ core: EngineCore) { self.core = core }

  func run() { core.sampleRows(logits) }
}

extension EngineCore {
  /// Draws the tokens of the step's runs from their logits.
  func sampleRows(_ logits: UnsafeMutableBufferPointer<Float>) {
    let width = model.vocabularySize
    precondition(logits.count == plan.logitCount * width, "the model gave \(logits.count) logits")
    func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(rebasing: logits[index * width..<(index + 1) * width])
    }
    outcome.removeAll()
    var first = 0
    for run in plan.runs {
      defer { first += run.logitCount }
      if run.logits == .all && run.isPrefill { scorePrompt(run) { row(first + $0) } }
      guard run.samples else { continue }
      outcome.beginRun()
      // The rows that sample are the last ones: the newest token's, and those of guesses after it.
      let newest = first + run.logitCount - 1 - run.draftCount
      for index in 0...run.draftCount {
        guard drawToken(of: run, index: index, row(newest + index)) else { break }
      }
    }
  }

  /// Draws the token after a run's newest one and `index` guesses that were right. False: the next row does not count.
  private func drawToken(of run: StepPlan.Run, index: Int, _ logits: UnsafeMutableBufferPointer<Float>)
    -> Bool
  {
    guard let request = scheduler.request(inSlot: run.slot) else {
      preconditionFailure("\(run.request) is gone")
    }
    let position = run.position + run.rowCount - run.draftCount + index
    let sample: Sampler.Sample
    do throws(SamplingFailure) {
      sample = try draw(request, run, index: index, position: position, logits)
    } catch {
      switch error {
      case .invalidLogits: outcome.end(.failed(.invalidLogits(request: run.request, position: position)))
      case .nothingAllowed: outcome.end(.failed(.nothingAllowed(request: run.request, position: position)))
      }
      return false
    }
    outcome.append(sample.token, logprobs: sample.logprobs)
    // What the scheduler knows by itself comes first: it says the token that stopped.
    if request.finishReason(after: sample.token, generatedCount: request.generatedCount + index) != nil {
      return false
    }
    if let ending = endingByContent(run.request, after: sample.token) {
      outcome.end(ending)
      return false
    }
    guard index < run.draftCount else { return false }
    return plan.tokenIDs[run.rowStart + run.rowCount - run.draftCount + index] == sample.token
  }

  private func draw(
    _ request: ScheduledRequest, _ run: StepPlan.Run, index: Int, position: Int,
    _ logits: UnsafeMutableBufferPointer<Float>
  ) throws(SamplingFailure) -> Sampler.Sample {
    guard let record = records[run.request] else { preconditionFailure("\(run.request) has no record") }
    let isConstrained = record.constraint != nil
    if isConstrained { record.constraint!.allowedTokens(into: &mask) }
    if index > 0 {
      // Guesses that were right are not among the scheduler's tokens yet.
      history.removeAll(keepingCapacity: true)
      history.append(contentsOf: request.tokens)
      history.append(contentsOf: outcome.tokens[outcome.runs[outcome.runs.count - 1].range])
    }
    let tokens = index > 0 ? history : request.tokens
    return try tokens.withUnsafeBufferPointer { tokens throws(SamplingFailure) in
      try mask.words.withUnsafeBufferPointer { words throws(SamplingFailure) in
        try sampler.sample(
          logits, parameters: record.request.sampling, seed: record.seed, position: position,
          context: SamplingContext(
            tokens: tokens, promptCount: request.promptCount, stopTokenIDs: request.stopTokenIDs,
            mask: isConstrained ? words.baseAddress : nil))
      }
    }
  }

  /// Tells a request's conditions of its next token; why it ends, if one of them ends it.
  private func endingByContent(_ id: RequestID, after token: Int32) -> FinishReason? {
    guard let record = records[id] else { preconditionFailure("\(id) has no record") }
    if record.constraint != nil {
      record.constraint!.advance(token)
      if record.constraint!.isComplete { return .complete }
    }
    if record.stopCondition?.shouldStop(after: token) == true { return .stopCondition }
    return nil
  }

  /// Keeps what a chunk's rows say of the prompt's tokens that follow them.
  private func scorePrompt(_ run: StepPlan.Run, row: (Int) -> UnsafeMutableBufferPointer<Float>) {
    guard let request = scheduler.request(inSlot: run.slot), let record = records[run.request],
      let count = record.request.sampling.promptLogprobs
    else { return }
    for index in 0..<run.rowCount {
      let position = run.position + index + 1
      // What ran again after a preemption is known.
      guard position < request.promptCount, position >= record.promptLogprobs.count else { continue }
      let logprobs = sampler.logprobs(
        of: request.tokens[position], in: UnsafeBufferPointer(row(index)), topCount: count)
      record.promptLogprobs.append(logprobs)
    }
  }
}
