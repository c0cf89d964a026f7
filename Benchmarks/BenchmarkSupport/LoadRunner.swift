public import ApusEngine
public import ApusKernels
public import ApusModel
public import ApusObservability

/// A request that did not run to its end.
public struct RequestFailure: Error, CustomStringConvertible {
  public var request: Int
  public var reason: FinishReason

  public init(request: Int, reason: FinishReason) {
    self.request = request
    self.reason = reason
  }

  public var description: String { "request \(request + 1) ended early: \(reason)" }
}

/// Serves traces on engines over one model.
public struct LoadRunner: Sendable {
  public let weights: PackedWeights
  public let context: KernelContext
  public let slotCount: Int
  public let contextLength: Int
  public let kvType: KVType
  /// KV pages; nil for as many as full slots need.
  public let pageCount: Int?

  public init(
    _ weights: PackedWeights, context: KernelContext, slotCount: Int, contextLength: Int,
    kvType: KVType = .f32, pageCount: Int? = nil
  ) {
    self.weights = weights
    self.context = context
    self.slotCount = slotCount
    self.contextLength = contextLength
    self.kvType = kvType
    self.pageCount = pageCount
  }

  /// An engine, warmed up: every slot has run a few tokens.
  public func engine(_ configuration: EngineConfiguration, log: EventLog) async throws -> Engine {
    let session = try TransformerSession(
      weights, context: context, slotCount: slotCount, contextLength: contextLength,
      rowsPerStepMax: slotCount + configuration.prefillStep, kvType: kvType, pageCount: pageCount)
    let engine = try Engine(
      model: session, configuration: configuration, kernels: context, observer: log.record)
    let warmUp = (0..<slotCount).map { index in
      GenerationRequest(
        promptTokens: (0..<4).map { Int32(index + $0) },
        sampling: SamplingParameters(temperature: 0, maxTokens: 2, ignoreEOS: true))
    }
    for stream in try await engine.generate(warmUp) { _ = await stream.collect() }
    return engine
  }

  /// Serves the trace and returns what it came to, and what each request gave.
  public func run(
    _ trace: LoadTrace, _ configuration: EngineConfiguration
  ) async throws -> (figures: LoadFigures, results: [GenerationResult]) {
    let log = EventLog(capacity: 4 * (trace.outputTokens + 64 * trace.arrivals.count))
    let engine = try await engine(configuration, log: log)
    let results = try await Self.serve(trace, on: engine)
    let first = results.map(\.id).min() ?? RequestID(rawValue: 0)
    return (LoadFigures(log.events(from: first)), results.map(\.result))
  }

  /// Sends each request when its time has come and reads all to their ends.
  public static func serve(
    _ trace: LoadTrace, on engine: Engine
  ) async throws -> [(id: RequestID, result: GenerationResult)] {
    let clock = ContinuousClock()
    let begin = clock.now
    var streams: [TokenStream] = []
    if trace.arrivals.allSatisfy({ $0.time == .zero }) {
      streams = try await engine.generate(trace.arrivals.map(\.request))
    } else {
      for arrival in trace.arrivals {
        try await clock.sleep(until: begin + arrival.time)
        streams.append(try await engine.generate(arrival.request))
      }
    }
    var results: [(id: RequestID, result: GenerationResult)] = []
    for (index, stream) in streams.enumerated() {
      let result = await stream.collect()
      guard result.finishReason.isNatural else {
        throw RequestFailure(request: index, reason: result.finishReason)
      }
      results.append((stream.id, result))
    }
    return results
  }
}
