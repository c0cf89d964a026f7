import Apus
import ApusEngine
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import ApusCommand
@testable import ApusServer

/// A load against a server in this process.
@Suite struct LoadRunTests {
  private static func serving(
    slots: Int = 4, apiKeys: [String] = [],
    _ body: @Sendable @escaping (Int, EngineMetricsReader) async throws -> Void
  ) async throws {
    let language = try LanguageModel.load(.embedded, options: LoadOptions(threadCount: 1))
    let table = SlotTable(slotCount: slots)
    let generator = try TextGenerator(
      language, batchSize: slots, maxSequenceLength: 512,
      configuration: EngineConfiguration(eosTokenIDs: language.eosTokenIDs), observer: table.record)
    let model = ServedModel(
      id: "apus-stories", generator: generator, slots: table, fingerprint: "test")
    let (ports, source) = AsyncStream<Int>.makeStream()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = CompletionServer(
      ServerConfiguration(port: 0, apiKeys: apiKeys), logger: logger, load: { model },
      onListening: { source.yield($0) }, onReady: { _ in source.yield(0) })
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var numbers: [Int] = []
      for await number in ports {
        numbers.append(number)
        if numbers.count == 2 { break }
      }
      let result: Result<Void, any Error>
      do {
        try await body(numbers.max() ?? 0) { generator.engine.metrics }
        result = .success(())
      } catch { result = .failure(error) }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      try result.get()
    }
  }

  typealias EngineMetricsReader = @Sendable () -> EngineMetrics

  private static func client(
    port: Int, kind: CompletionEndpoint.Kind = .completions, apiKey: String? = nil,
    timeout: TimeAmount = .minutes(5)
  ) throws -> CompletionClient {
    var endpoint = try CompletionEndpoint(
      baseURL: "http://127.0.0.1:\(port)", kind: kind, model: "apus-stories", apiKey: apiKey)
    endpoint.ignoresEOS = true
    let clock = ContinuousClock()
    return CompletionClient(
      endpoint: endpoint, group: .singletonMultiThreadedEventLoopGroup, timeout: timeout, clock: clock,
      origin: clock.now)
  }

  @Test(arguments: [CompletionEndpoint.Kind.completions, .chat])
  func aLoadIsAnsweredWholeAndItsTokensAreTheServers(_ kind: CompletionEndpoint.Kind) async throws {
    try await Self.serving { port, metrics in
      let requests = LoadRequest.random(
        count: 12, input: LengthRange(3...20), output: LengthRange(5...30), seed: 4)
      let arrivals = ArrivalTimes.random(count: 12, rate: 200, burstiness: 1, seed: 1)
      let load = LoadRun(requests: requests, arrivals: arrivals, concurrencyMax: 3)
      let (outcomes, duration) = await load.run(with: try Self.client(port: port, kind: kind))
      #expect(outcomes.map(\.failure) == Array(repeating: nil, count: 12))
      // In the order of the requests, each of the length it asked for.
      #expect(outcomes.map(\.completionTokens) == requests.map(\.maxTokens))
      let found = ServingMetrics(outcomes, inputTokenCounts: requests.map { _ in 0 }, duration: duration)
      #expect(found.tokenCount == .usage)
      #expect(found.outputTokenCount == metrics().generationTokensTotal)
      #expect((2...3).contains(found.concurrencyPeak))
      for outcome in outcomes {
        #expect(outcome.pieces == outcome.pieces.sorted())
        #expect(outcome.timeToFirstToken > 0 && outcome.latency <= duration)
      }
    }
  }

  @Test func promptsOfTokenIDsAreSentAsTheyAre() async throws {
    try await Self.serving { port, metrics in
      let load = LoadRun(requests: [LoadRequest(prompt: .ids([5, 6, 7]), maxTokens: 4)], arrivals: [0])
      let outcome = await load.run(with: try Self.client(port: port)).outcomes[0]
      #expect(outcome.failure == nil)
      #expect(outcome.promptTokens == 3)
    }
  }

  @Test func refusalsAndSilenceAreFailuresOfTheirRequestsAlone() async throws {
    try await Self.serving(apiKeys: ["right"]) { port, _ in
      let request = LoadRequest(prompt: .text("Tell me"), maxTokens: 4)
      let refused = try await Self.client(port: port, apiKey: "wrong").send(request)
      #expect(refused.failure?.hasPrefix("status 401") == true)
      #expect(try await Self.client(port: port, apiKey: "right").send(request).failure == nil)
      let late = try await Self.client(port: port, apiKey: "right", timeout: .nanoseconds(1)).send(request)
      #expect(late.failure == "no whole answer in time")
    }
    let none = try await Self.client(port: 1).send(LoadRequest(prompt: .text("a"), maxTokens: 1))
    #expect(none.failure?.hasPrefix("no connection") == true)
  }
}
