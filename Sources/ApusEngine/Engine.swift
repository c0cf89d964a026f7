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
    thread.start { [weak self] in self?.assumeIsolated { $0.core.step() } ?? false }
  }

  deinit { thread.stop() }

  /// What the engine has done and does. Never waits for a step.
  public nonisolated var metrics: EngineMetrics { recorder.snapshot() }

  /// Queues a request and returns its stream. Waits for the running step, if any.
  /// - Throws: `AdmissionError`, and nothing was queued.
  public nonisolated func generate(_ request: GenerationRequest) async throws(AdmissionError) -> TokenStream {
    try await submit(request, at: clock.now())
  }

  /// Queues requests in order, all before the next step, and returns their streams in that order.
  /// - Throws: `AdmissionError` of the first that is refused; then none of them runs.
  public nonisolated func generate(
    _ requests: [GenerationRequest]
  ) async throws(AdmissionError) -> [TokenStream] {
    try await submit(requests, at: clock.now())
  }

  /// Ends a request wherever it is; its stream finishes with `.cancelled`. Unknown and finished ones are left
  /// alone.
  public func cancel(_ id: RequestID) { core.cancel(id) }

  /// Finishes every stream with `.shutdown` and refuses new requests.
  public func shutdown() { core.shutdown() }

  private func submit(_ request: GenerationRequest, at time: Duration) throws(AdmissionError) -> TokenStream {
    try core.submit(request, at: time)
  }

  private func submit(
    _ requests: [GenerationRequest], at time: Duration
  ) throws(AdmissionError) -> [TokenStream] {
    var streams: [TokenStream] = []
    for request in requests { streams.append(try core.submit(request, at: time)) }
    return streams
  }
}
