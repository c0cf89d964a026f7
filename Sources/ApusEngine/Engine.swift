public import ApusKernels
public import ApusModel

/// Decodes many requests together, by continuous batching, on a thread of its own.
///
/// ```swift
/// let engine = try Engine(model: model)
/// let stream = try await engine.generate(GenerationRequest(promptTokens: tokens))
/// for await event in stream { ... }
/// ```
///
/// A request's tokens and logprobs are the same bits whatever else runs, given a model whose logits are.
/// Steps run while there are requests; otherwise the thread sleeps. Letting go of the engine ends its thread
/// and finishes open streams with `.shutdown`.
public actor Engine {
  public nonisolated let configuration: EngineConfiguration
  private nonisolated let thread: EngineThread
  private nonisolated let clock: EngineClock
  private nonisolated let recorder: MetricsRecorder
  private let core: EngineCore
  /// Who waits for the last request to end.
  private var drained: [CheckedContinuation<Void, Never>] = []

  /// The time on the engine's clock, which events and timings are told by.
  public nonisolated var now: Duration { clock.now() }

  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// - Parameters:
  ///   - kernels: run the passes over rows of logits, usually the model's own. Nil: the best instruction
  ///     set, one thread.
  ///   - makeSeed: draws the seed of a request that brings none.
  ///   - observer: is told what happens, on the engine's thread; steps wait for it.
  /// - Throws: `EngineError`.
  public init(
    model: sending any StepModel, configuration: EngineConfiguration = EngineConfiguration(),
    kernels: KernelContext? = nil, clock: EngineClock = .monotonic(),
    makeSeed: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) },
    observer: (@Sendable (EngineEvent) -> Void)? = nil
  ) throws(EngineError) {
    let core = try EngineCore(
      model: model, configuration: configuration, kernels: kernels, clock: clock, makeSeed: makeSeed,
      observer: observer)
    self.configuration = configuration
    self.clock = clock
    recorder = core.metrics
    thread = EngineThread()
    self.core = core
    thread.start { [weak self] in self?.assumeIsolated { $0.step() } ?? false }
  }

  deinit { thread.stop() }

  /// What the engine has done and does. Never waits for a step.
  public nonisolated var metrics: EngineMetrics { recorder.snapshot() }

  /// Queues a request and returns its stream. Waits for the running step, if any.
  /// - Throws: `AdmissionError`, and nothing was queued.
  public nonisolated func generate(_ request: GenerationRequest) async throws(AdmissionError) -> TokenStream {
    try await submit([request], count: 1, at: clock.now())[0]
  }

  /// Queues `count` completions of one prompt, which is computed once, and returns their streams. The first is the
  /// request's own; the others have seeds of their own, which follow from its seed.
  /// - Throws: `AdmissionError`, and nothing was queued.
  public nonisolated func generate(
    _ request: GenerationRequest, count: Int
  ) async throws(AdmissionError) -> [TokenStream] {
    try await submit([request], count: count, at: clock.now())
  }

  /// Queues requests in order, all before the next step, and returns their streams in that order.
  /// - Throws: `AdmissionError` of the first that is refused; then none of them runs.
  public nonisolated func generate(
    _ requests: [GenerationRequest]
  ) async throws(AdmissionError) -> [TokenStream] {
    try await submit(requests, count: 1, at: clock.now())
  }

  /// Queues a copy of a request as it is now, which shares what is computed, and returns the stream of its tokens from
  /// here on.
  /// - Parameter seed: draws the copy's tokens; nil: the request's own seed, which gives the same tokens.
  /// - Throws: `AdmissionError`, and nothing was queued.
  public nonisolated func fork(_ id: RequestID, seed: UInt64? = nil) async throws(AdmissionError)
    -> TokenStream
  {
    try await fork(id, seed: seed, at: clock.now())
  }

  /// Ends a request wherever it is; its stream finishes with `.cancelled`. Unknown and finished ones are left
  /// alone.
  public func cancel(_ id: RequestID) { core.cancel(id) }

  /// Refuses new requests and returns when those that are here have ended.
  public func drain() async {
    core.drain()
    guard !core.isIdle else { return }
    await withCheckedContinuation { drained.append($0) }
  }

  /// Finishes every stream with `.shutdown` and refuses new requests.
  public func shutdown() {
    core.shutdown()
    resumeDrained()
  }

  private func step() -> Bool {
    let hasMore = core.step()
    if !hasMore { resumeDrained() }
    return hasMore
  }

  private func resumeDrained() {
    for waiter in drained { waiter.resume() }
    drained.removeAll()
  }

  private func submit(
    _ requests: [GenerationRequest], count: Int, at time: Duration
  ) throws(AdmissionError) -> [TokenStream] {
    if Task.isCancelled { throw .cancelled }
    return try core.submit(requests, count: count, at: time)
  }

  private func fork(_ id: RequestID, seed: UInt64?, at time: Duration) throws(AdmissionError) -> TokenStream {
    if Task.isCancelled { throw .cancelled }
    return try core.fork(id, seed: seed, at: time)
  }
}
