package import ApusKernels
package import ApusModel

/// The engine without its thread: queue requests, call `step` while it returns true. Not thread-safe;
/// streams may be read and dropped on any thread, and `metrics` read.
package final class EngineCore {
  /// What the engine keeps of a request beside the scheduler's part.
  private struct Record {
    let channel: TokenChannel
    let parameters: SamplingParameters
    let promptTokenCount: Int
    let seed: UInt64
    var timing: RequestTiming
    var generatedCount = 0
    var lastToken: Duration?
  }

  package let metrics: MetricsRecorder
  private let model: any StepModel
  private let configuration: EngineConfiguration
  private let clock: EngineClock
  private let makeSeed: @Sendable () -> UInt64
  private let observer: (@Sendable (EngineEvent) -> Void)?
  private let cancellations = CancellationBox()

  private var scheduler: Scheduler
  private let sampler: Sampler
  private var records: [RequestID: Record] = [:]
  private var nextID: UInt64 = 0
  private var isShutDown = false

  // Refilled every step.
  private var plan = StepPlan()
  private var batch = RaggedBatch()
  private var outcomes: [RowOutcome] = []
  private var events: [SchedulerEvent] = []
  /// Of the token each slot sampled in this step.
  private var logprobs: [TokenLogprobs?]

  /// - Throws: `EngineError`.
  package init(
    model: any StepModel, configuration: EngineConfiguration, kernels: KernelContext?, clock: EngineClock,
    makeSeed: @escaping @Sendable () -> UInt64, observer: (@Sendable (EngineEvent) -> Void)?
  ) throws(EngineError) {
    func check(_ holds: Bool, _ field: String, _ value: Int, _ expected: String) throws(EngineError) {
      guard holds else { throw .invalidConfiguration(field: field, value: value, expected: expected) }
    }
    try check(model.slotCount >= 1, "model.slotCount", model.slotCount, "at least 1")
    try check(model.contextLength >= 1, "model.contextLength", model.contextLength, "at least 1")
    try check(
      model.rowsPerStepMax >= model.slotCount, "model.rowsPerStepMax", model.rowsPerStepMax,
      "at least the model's \(model.slotCount) slots")
    try check(configuration.prefillStep >= 1, "prefillStep", configuration.prefillStep, "at least 1")
    try check(configuration.queueLengthMax >= 1, "queueLengthMax", configuration.queueLengthMax, "at least 1")
    do throws(KernelError) {
      let kernels = if let kernels { kernels } else { try KernelContext(threadCount: 1) }
      sampler = Sampler(vocabularySize: model.vocabularySize, kernels: kernels)
    } catch { throw .kernels(error) }
    self.model = model
    self.configuration = configuration
    self.clock = clock
    self.makeSeed = makeSeed
    self.observer = observer
    metrics = MetricsRecorder(slotCount: model.slotCount)
    scheduler = Scheduler(
      limits: SchedulerLimits(
        slotCount: model.slotCount, rowsPerStepMax: model.rowsPerStepMax,
        prefillStep: configuration.prefillStep, queueLengthMax: configuration.queueLengthMax,
        admission: configuration.admission))
    logprobs = Array(repeating: nil, count: model.slotCount)
    plan.reserveCapacity(rows: model.rowsPerStepMax, runs: model.slotCount)
    batch.reserveCapacity(rows: model.rowsPerStepMax, sequences: model.slotCount)
    outcomes.reserveCapacity(model.slotCount)
    events.reserveCapacity(4 * model.slotCount)
  }

  deinit { shutdown() }

  /// Queues a request that arrived at `time`.
  package func submit(_ request: GenerationRequest, at time: Duration) throws(AdmissionError) -> TokenStream {
    do throws(AdmissionError) {
      if isShutDown { throw .shutDown }
      try request.validate(vocabularySize: model.vocabularySize, contextLength: model.contextLength)
      let sampling = request.sampling
      let id = RequestID(rawValue: nextID)
      let eos = sampling.ignoreEOS ? [] : configuration.eosTokenIDs
      try scheduler.submit(
        ScheduledRequest(
          id: id, promptTokens: request.promptTokens,
          maxTokens: request.maxTokens(contextLength: model.contextLength),
          stopTokenIDs: sampling.stopTokenIDs + eos))
      nextID += 1
      let channel = TokenChannel(id: id, cancellations: cancellations)
      let seed = sampling.seed ?? makeSeed()
      records[id] = Record(
        channel: channel, parameters: sampling, promptTokenCount: request.promptTokens.count, seed: seed,
        timing: RequestTiming(queued: time))
      metrics.update { $0.recordSubmission() }
      updateQueueMetrics()
      observer?(.submitted(id, promptTokenCount: request.promptTokens.count, at: time))
      return TokenStream(channel: channel, seed: seed)
    } catch {
      metrics.update { $0.recordRejection() }
      throw error
    }
  }

  /// Ends a request wherever it is. Unknown and finished ones are left alone.
  package func cancel(_ id: RequestID) {
    scheduler.cancel(id, events: &events)
    deliver()
  }

  /// Ends all requests with `.shutdown` and refuses new ones.
  package func shutdown() {
    isShutDown = true
    scheduler.cancelAll(reason: .shutdown, events: &events)
    deliver()
  }

  /// Runs one step, if there is something to run. False: nothing is left to do.
  package func step() -> Bool {
    for id in cancellations.take() { scheduler.cancel(id, events: &events) }
    deliver()
    let start = clock.now()
    let hasRows = scheduler.nextStep(into: &plan, events: &events) { [model] slot, positions in
      do throws(KVCacheError) {
        try model.reserve(slot: slot, positions: positions)
        return nil
      } catch { return error }
    }
    deliver()
    guard hasRows else { return !scheduler.isIdle }
    plan.lower(into: &batch)
    model.forward(batch) { sampleRows(UnsafeBufferPointer($0)) }
    scheduler.finish(plan, outcomes: outcomes, events: &events)
    let end = clock.now()
    metrics.update { $0.recordStep(plan, duration: end - start) }
    observer?(
      .step(start: start, end: end, prefillRows: plan.prefillRowCount, decodeRows: plan.decodeRowCount))
    deliver()
    return !scheduler.isIdle
  }

  private func sampleRows(_ logits: UnsafeBufferPointer<Float>) {
    let width = model.vocabularySize
    precondition(logits.count == plan.sampleCount * width, "the model gave \(logits.count) logits")
    outcomes.removeAll(keepingCapacity: true)
    for run in plan.runs where run.samples {
      guard let record = records[run.request] else { preconditionFailure("\(run.request) has no record") }
      let row = UnsafeBufferPointer(rebasing: logits[outcomes.count * width..<(outcomes.count + 1) * width])
      let position = run.position + run.rowCount
      let sample = sampler.sample(row, parameters: record.parameters, seed: record.seed, position: position)
      logprobs[run.slot] = sample?.logprobs
      outcomes.append(
        sample.map { .token($0.token) }
          ?? .failure(.invalidLogits(request: run.request, position: position)))
    }
  }

  /// Hands the scheduler's events to streams, model, metrics and observer.
  private func deliver() {
    guard !events.isEmpty else { return }
    let now = clock.now()
    // Before the streams, so that who reads the end of a request finds it counted.
    updateQueueMetrics()
    for event in events {
      switch event {
      case .admitted(let id, let slot): admitted(id, slot: slot, at: now)
      case .token(let id, let slot, let token, let position):
        generated(GeneratedToken(id: token, position: position, logprobs: logprobs[slot]), by: id, at: now)
        observer?(.token(id, slot: slot, position: position, at: now))
      case .finished(let id, let slot, let reason): finished(id, slot: slot, reason: reason, at: now)
      }
    }
    events.removeAll(keepingCapacity: true)
  }

  private func admitted(_ id: RequestID, slot: Int, at now: Duration) {
    guard let queued = records[id]?.timing.queued else { preconditionFailure("\(id) has no record") }
    records[id]!.timing.admitted = now
    metrics.update { $0.recordAdmission(queueTime: now - queued) }
    observer?(.admitted(id, slot: slot, at: now))
  }

  private func generated(_ token: GeneratedToken, by id: RequestID, at now: Duration) {
    guard let record = records[id] else { preconditionFailure("\(id) has no record") }
    if let lastToken = record.lastToken {
      metrics.update { $0.recordToken(sinceLast: now - lastToken) }
    } else {
      records[id]!.timing.firstToken = now
      metrics.update { $0.recordFirstToken(sinceQueued: now - record.timing.queued) }
    }
    records[id]!.lastToken = now
    records[id]!.generatedCount += 1
    record.channel.send(.token(token))
  }

  private func finished(_ id: RequestID, slot: Int?, reason: FinishReason, at now: Duration) {
    guard var record = records.removeValue(forKey: id) else { preconditionFailure("\(id) has no record") }
    if let slot { model.release(slot: slot) }
    record.timing.finished = now
    metrics.update { $0.recordFinish(reason, latency: now - record.timing.queued) }
    observer?(.finished(id, slot: slot, reason, at: now))
    let usage = Usage(
      promptTokenCount: record.promptTokenCount, completionTokenCount: record.generatedCount,
      seed: record.seed, timing: record.timing)
    record.channel.send(.finished(reason, usage))
  }

  private func updateQueueMetrics() {
    metrics.update { $0.recordQueues(running: scheduler.runningCount, waiting: scheduler.waitingCount) }
  }
}
