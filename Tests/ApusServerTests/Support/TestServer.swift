import Apus
import ApusEngine
import Foundation
import Logging
import ServiceLifecycle
import Testing

@testable import ApusServer

/// A server over the embedded model, on a port of its own.
struct TestServer: Sendable {
  let port: Int
  let model: ServedModel
  let group: ServiceGroup

  private static let language = Result {
    // One thread: two that wait for each other are slow beside other tests.
    try LanguageModel.load(.embedded, options: LoadOptions(threadCount: 1))
  }

  struct Options: Sendable {
    var apiKeys: [String] = []
    var limits = ServerLimits()
    var slots = 4
    var context = 512
    /// KV pages of 32 positions; nil: as many as full slots need.
    var pageCount: Int?
    var queueLengthMax = 64
    var prefillStep = 128
    var unreadTokensMax = 1 << 16
    /// Seconds that each step of the engine takes longer.
    var stepDelay = 0.0
    var queueTimeout: Duration?
    var requestTimeout: Duration?
    var renderer: any ChatRenderer = PlainChatRenderer()
    var compiler: (any FormatCompiler)?
    /// Where the server writes what it logs, from debug on; nil: nowhere.
    var log: TestLog?
  }

  static func model(_ options: Options) throws -> ServedModel {
    let model = try language.get()
    let slots = SlotTable(slotCount: options.slots)
    let delay = options.stepDelay
    let generator = try TextGenerator(
      model, batchSize: options.slots, maxSequenceLength: options.context, pageCount: options.pageCount,
      configuration: EngineConfiguration(
        prefillStep: options.prefillStep, queueLengthMax: options.queueLengthMax, draftTokensMax: 0,
        unreadTokensMax: options.unreadTokensMax, eosTokenIDs: model.eosTokenIDs)
    ) { event in
      slots.record(event)
      if case .step = event, delay > 0 { Thread.sleep(forTimeInterval: delay) }
    }
    return ServedModel(
      id: "apus-stories", aliases: ["embedded"], generator: generator, slots: slots,
      chatRenderer: options.renderer, formatCompiler: options.compiler, fingerprint: "test",
      queueTimeout: options.queueTimeout, requestTimeout: options.requestTimeout)
  }

  /// Runs `body` beside a server, and ends the server as SIGTERM would.
  static func run(
    _ options: Options = Options(), _ body: @Sendable @escaping (TestServer) async throws -> Void
  ) async throws {
    let model = try model(options)
    let (ports, source) = AsyncStream<Int>.makeStream()
    let log: any LogHandler = options.log ?? SwiftLogNoOpLogHandler()
    var logger = Logger(label: "test") { _ in log }
    logger.logLevel = options.log == nil ? .critical : .debug
    let server = CompletionServer(
      ServerConfiguration(port: 0, apiKeys: options.apiKeys, limits: options.limits), logger: logger,
      load: { model }, onListening: { source.yield($0) }, onReady: { _ in source.yield(0) })
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var port = 0
      var count = 0
      for await number in ports {
        port = max(port, number)
        count += 1
        if count == 2 { break }
      }
      do {
        try await body(TestServer(port: port, model: model, group: group))
      } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  var metrics: EngineMetrics { model.generator.engine.metrics }

  /// Sends one request and reads its answer.
  func send(
    _ method: String, _ path: String, _ body: String? = nil, headers: [String] = []
  ) async throws -> HTTPReply {
    let client = try RawClient(port: port)
    await client.send(Self.request(method, path, body, headers: headers + ["Connection: close"]))
    return try HTTPReply(await client.receiveAll())
  }

  func post(_ path: String, _ body: String) async throws -> HTTPReply { try await send("POST", path, body) }

  static func request(_ method: String, _ path: String, _ body: String? = nil, headers: [String] = [])
    -> String
  {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers
    if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
  }

  /// Waits until `condition` holds, a minute at most.
  func wait(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
  ) async {
    for _ in 0..<12_000 {
      if condition() { return }
      try? await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("waited too long until \(what)", sourceLocation: sourceLocation)
  }
}
