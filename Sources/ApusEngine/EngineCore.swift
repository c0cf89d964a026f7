package import ApusKernels
package import ApusModel

/// The engine without its thread: queue requests, call `step` while it returns true. Not thread-safe;
/// streams may be read and dropped on any thread, and `metrics` read.
package final class EngineCore {
  package let metrics: MetricsRecorder
  let model: any StepModel
  let configuration: EngineConfiguration
  let clock: EngineClock
  private let makeSeed: @Sendable () -> UInt64
  let observer: (@Sendable (EngineEvent) -> Void)?
  private let cancellations = CancellationBox()

  package internal(set) var scheduler: Scheduler
  let sampler: Sampler
  private let kernels: KernelContext
  private lazy var sampling = SamplingWork(self)
  var records: [RequestID: RequestRecord] = [:]
  private var nextID: UInt64 = 0
  private var isShutDown = false
  private var isDraining = false
  private var costModel = StepCostModel()

  // Refilled every step.
  var plan = StepPlan()
  private var batch = RaggedBatch()
  var outcome = StepOutcome()
  var events: [SchedulerEvent] = []
  /// What a constraint allows next.
  var mask: TokenMask
  /// A sequence with the guesses of this step that were right.
  var history: [Int32] = []

  /// - Throws: `EngineError`.
  package init(
    model: any StepModel, configuration: EngineConfiguration, kernels: KernelContext?, clock: EngineClock,
    makeSeed: @escaping @Sendable () -> UInt64, observer: (@Sendable (EngineEvent) -> Void)?
  ) throws(EngineError) {
    try configuration.validate(model)
    do throws(KernelError) {
      self.kernels = if let kernels { kernels } else { try KernelContext(threadCount: 1) }
    } catch { throw .kernels(error) }
    sampler = Sampler(vocabularySize: model.vocabularySize, kernels: self.kernels)
    self.model = model
    self.configuration = configuration
    self.clock = clock
    self.makeSeed = makeSeed
    self.observer = observer
    metrics = MetricsRecorder(
      slotCount: model.slotCount, pageCount: model.pageCount, contextLength: model.contextLength)
    scheduler = Scheduler(
      limits: SchedulerLimits(
        slotCount: model.slotCount, rowsPerStepMax: model.rowsPerStepMax,
        prefillStep: configuration.prefillStep, queueLengthMax: configuration.queueLengthMax,
        queueTokensMax: configuration.queueTokensMax, admission: configuration.admission,
        pageCount: model.pageCount, pageSize: model.pageSize, contextLength: model.contextLength,
        cachesPrefixes: configuration.prefixCaching, draftMax: configuration.draftTokensMax),
      policy: configuration.policy)
    mask = TokenMask(vocabularySize: model.vocabularySize)
    history.reserveCapacity(model.contextLength + 1)
    plan.reserveCapacity(rows: model.rowsPerStepMax, runs: model.slotCount)
    batch.reserveCapacity(rows: model.rowsPerStepMax, sequences: model.slotCount)
    outcome.reserveCapacity(runs: model.slotCount, tokens: model.rowsPerStepMax)
    events.reserveCapacity(4 * model.slotCount + model.rowsPerStepMax)
  }

  deinit { shutdown() }

  /// What the last step ran of a request.
  package func lastRun(of id: RequestID) -> StepPlan.Run? { plan.runs.first { $0.request == id } }

  /// Nothing waits and nothing runs.
  package var isIdle: Bool { scheduler.isIdle }

  /// Queues requests that arrived at `time`, `count` completions of each, and returns their streams: the completions
  /// of the first, then those of the second ...
  /// - Throws: `AdmissionError` of the first that is refused; then none is queued.
  package func submit(
    _ requests: [GenerationRequest], count: Int = 1, at time: Duration
  ) throws(AdmissionError) -> [TokenStream] {
    do throws(AdmissionError) {
      try checkOpen()
      guard (1...configuration.queueLengthMax).contains(count) else {
        throw .invalidParameter(
          field: "count", value: "\(count)", expected: "1...\(configuration.queueLengthMax)")
      }
      var drafts: [Submission] = []
      for request in requests {
        try request.validate(vocabularySize: model.vocabularySize, contextLength: model.contextLength)
        let seed = request.sampling.seed ?? makeSeed()
        let leader = nextRequestID(after: drafts.count)
        for index in 0..<count {
          let id = nextRequestID(after: drafts.count)
          drafts.append(
            Submission(
              request: request, id: id, family: count > 1 ? leader : nil,
              seed: index == 0 ? seed : Philox.seed(ofCompletion: index, from: seed), at: time))
        }
      }
      try scheduler.submit(drafts.map { scheduled($0) })
      return drafts.map { accept($0) }
    } catch {
      metrics.update { $0.recordRejection() }
      throw error
    }
  }

  package func submit(_ request: GenerationRequest, at time: Duration) throws(AdmissionError) -> TokenStream {
    try submit([request], at: time)[0]
  }

  /// Queues a copy of a request as it is now: what it has computed is shared. The stream gives the tokens after those
  /// that the request has generated.
  /// - Parameter seed: draws the copy's tokens; nil: the request's own, which gives the same tokens.
  /// - Throws: `AdmissionError`; nothing was queued.
  package func fork(_ id: RequestID, seed: UInt64?, at time: Duration) throws(AdmissionError) -> TokenStream {
    do throws(AdmissionError) {
      try checkOpen()
      guard let parent = scheduler.request(id), let record = records[id] else { throw .unknownRequest(id) }
      var request = record.request
      // They came with the origin's first token, or will.
      request.sampling.promptLogprobs = nil
      request.stopCondition = record.stopCondition
      request.constraint = record.constraint
      let submission = Submission(
        request: request, id: nextRequestID(after: 0), family: id, seed: seed ?? record.seed, at: time,
        generatedTokens: Array(parent.tokens.dropFirst(parent.promptCount)))
      try scheduler.submit([scheduled(submission)])
      return accept(submission)
    } catch {
      metrics.update { $0.recordRejection() }
      throw error
    }
  }

  private func checkOpen() throws(AdmissionError) {
    if isShutDown { throw .shutDown }
    if isDraining { throw .draining }
  }

  private func nextRequestID(after count: Int) -> RequestID { RequestID(rawValue: nextID + UInt64(count)) }

  private func scheduled(_ submission: Submission) -> ScheduledRequest {
    let request = submission.request
    let sampling = request.sampling
    return ScheduledRequest(
      id: submission.id, promptTokens: request.promptTokens, generatedTokens: submission.generatedTokens,
      maxTokens: request.maxTokens(contextLength: model.contextLength),
      stopTokenIDs: sampling.stopTokenIDs + (sampling.ignoreEOS ? [] : configuration.eosTokenIDs),
      minTokens: sampling.minTokens, priority: request.priority, tenant: request.tenant,
      queueDeadline: request.queueTimeout.map { submission.time + $0 },
      deadline: request.timeout.map { submission.time + $0 }, family: submission.family,
      sharedCount: request.promptTokens.count + submission.generatedTokens.count,
      scoresPrompt: sampling.promptLogprobs != nil)
  }

  private func accept(_ submission: Submission) -> TokenStream {
    nextID = submission.id.rawValue + 1
    let channel = TokenChannel(id: submission.id, cancellations: cancellations)
    records[submission.id] = RequestRecord(submission, channel: channel)
    metrics.update { $0.recordSubmission() }
    updateQueueMetrics()
    observer?(.submitted(submission.arrival, at: submission.time))
    return TokenStream(channel: channel, seed: submission.seed)
  }

  /// Ends a request wherever it is. Unknown and finished ones are left alone.
  package func cancel(_ id: RequestID) {
    scheduler.cancel(id, events: &events)
    deliver()
  }

  /// Refuses new requests from now on; those that are here go on.
  package func drain() { isDraining = true }

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
    let conditions = StepConditions(
      now: start, costs: costModel.costs, target: configuration.interTokenTarget?.inSeconds)
    let hasRows = scheduler.nextStep(into: &plan, under: conditions, events: &events)
    deliver()
    guard hasRows else { return !scheduler.isIdle }
    for assignment in plan.pageAssignments {
      model.assign(page: assignment.page, slot: assignment.slot, index: assignment.index)
    }
    for copy in plan.pageCopies { model.copyPage(copy.source, to: copy.target) }
    plan.lower(into: &batch)
    model.forward(batch) { logits in
      sampling.logits = logits
      kernels.withTeam(sampling)
    }
    scheduler.finish(plan, outcome: outcome, events: &events)
    let end = clock.now()
    let duration = end - start
    costModel.record(rows: plan.rowCount, positions: plan.attendedCount, seconds: duration.inSeconds)
    metrics.update { metrics in
      metrics.recordStep(plan, outcome, duration: duration)
      metrics.recordCosts(costModel)
    }
    if let observer { observer(.step(StepRecord(plan, start: start, end: end))) }
    deliver()
    return !scheduler.isIdle
  }
}

/// A request on its way in.
struct Submission {
  var request: GenerationRequest
  var id: RequestID
  var family: RequestID?
  var seed: UInt64
  var time: Duration
  var generatedTokens: [Int32]

  init(
    request: GenerationRequest, id: RequestID, family: RequestID?, seed: UInt64, at time: Duration,
    generatedTokens: [Int32] = []
  ) {
    self.request = request
    self.id = id
    self.family = family
    self.seed = seed
    self.time = time
    self.generatedTokens = generatedTokens
  }

  var arrival: RequestArrival {
    RequestArrival(
      id: id, promptTokens: request.promptTokens, sampling: request.sampling, seed: seed,
      priority: request.priority, tenant: request.tenant, forkedFrom: generatedTokens.isEmpty ? nil : family,
      generatedTokens: generatedTokens, hasStopCondition: request.stopCondition != nil,
      hasConstraint: request.constraint != nil)
  }
}

/// What the engine keeps of a request beside the scheduler's part. An object, so that nothing of it is copied to
/// look at it.
final class RequestRecord {
  let request: GenerationRequest
  let channel: TokenChannel
  let seed: UInt64
  var stopCondition: (any StopCondition)?
  var constraint: (any TokenConstraint)?
  /// Of the prompt's tokens up to here, the first of which nothing predicts; empty unless asked for.
  var promptLogprobs: [TokenLogprobs?]
  var timing: RequestTiming
  var generatedCount = 0
  var reusedCount = 0
  var preemptionCount = 0
  var lastToken: Duration?

  init(_ submission: Submission, channel: TokenChannel) {
    request = submission.request
    self.channel = channel
    seed = submission.seed
    stopCondition = submission.request.stopCondition
    constraint = submission.request.constraint
    promptLogprobs = submission.request.sampling.promptLogprobs == nil ? [] : [nil]
    timing = RequestTiming(queued: submission.time)
  }
}
