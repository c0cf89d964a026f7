import Apus
import ApusEngine
import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle

/// Why a server could not begin to listen.
public struct ListenError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  init(_ configuration: ServerConfiguration, _ reason: String) {
    description = "cannot listen on \(configuration.host), port \(configuration.port): \(reason)"
  }
}

/// An OpenAI-compatible HTTP server over one model.
///
/// A service: run it in a `ServiceGroup`. It listens at once, and says that it is not ready until `load` has
/// returned. On graceful shutdown it says again that it is not ready, refuses new requests, waits for those
/// that run as long as `ServerLimits.drainTimeout` allows, ends what is left, and returns.
public struct CompletionServer: Service {
  public static let version = "0.1.0"

  private let configuration: ServerConfiguration
  private let logger: Logger
  private let state = ServerState()
  private let load: @Sendable () throws -> ServedModel
  private let onListening: @Sendable (Int) -> Void
  private let onReady: @Sendable (ServedModel) -> Void

  /// - Parameters:
  ///   - load: makes the model, on a thread of its own.
  ///   - onListening: is told the port.
  ///   - onReady: is told when requests are taken.
  public init(
    _ configuration: ServerConfiguration, logger: Logger, load: @escaping @Sendable () throws -> ServedModel,
    onListening: @escaping @Sendable (Int) -> Void = { _ in },
    onReady: @escaping @Sendable (ServedModel) -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.logger = logger
    self.load = load
    self.onListening = onListening
    self.onReady = onReady
  }

  /// Listens and serves until the group it runs in shuts down.
  /// - Throws: `ListenError`, or what `load` throws.
  public func run() async throws {
    // Services end in the reverse of their order, so the model drains while the server still answers.
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: application, successTerminationBehavior: .gracefullyShutdownGroup),
          .init(service: ModelService(server: self), successTerminationBehavior: .gracefullyShutdownGroup),
        ], logger: logger))
    do { try await group.run() } catch let error as IOError {
      throw ListenError(configuration, String(cString: strerror(error.errnoCode)))
    } catch let error as SocketAddressError {
      throw ListenError(configuration, "\(error)")
    }
  }

  private var application: some ApplicationProtocol {
    let limits = configuration.limits
    let counter = ConnectionCounter()
    var channel = HTTP1Channel.Configuration(
      additionalChannelHandlers: [ConnectionGuard(limits: limits, counter: counter)])
    channel.httpDecoder.maxHeaderListSize = limits.headerByteCountMax
    channel.httpDecoder.maxHeaderFieldSize = limits.headerFieldByteCountMax
    channel.httpDecoder.maxHeaderFieldCount = 200
    return Application(
      responder: responder, server: .http1(configuration: channel),
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: "apus"),
      onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? 0) },
      logger: logger)
  }

  var responder: RouterResponder<ServerContext> {
    let limits = configuration.limits
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: ErrorMiddleware(bodyByteCountMax: limits.bodyByteCountMax))
    let status = StatusRoutes(state: state, version: Self.version)
    status.add(to: router.group())
    PageRoutes().add(to: router.group())
    let guarded = router.group().add(middleware: Authentication(keys: configuration.apiKeys))
    status.addProtected(to: guarded)
    ModelRoutes(state: state, created: Int(Date().timeIntervalSince1970)).add(to: guarded)
    let keyCount = configuration.apiKeys.count
    CompletionRoutes(state: state, limits: limits, keyCount: keyCount).add(to: guarded)
    ChatRoutes(state: state, limits: limits, keyCount: keyCount).add(to: guarded)
    TokenizeRoutes(state: state, limits: limits).add(to: guarded)
    return router.buildResponder()
  }

  /// Loads the model, and drains it at the end.
  private struct ModelService: Service {
    let server: CompletionServer

    func run() async throws {
      let model = try await loaded()
      guard server.state.becomeReady(model) else { return }
      server.onReady(model)
      try? await gracefulShutdown()
      server.state.drain()
      await server.drain(model)
    }

    /// Loading takes seconds of computing: it has a thread of its own.
    private func loaded() async throws -> ServedModel {
      let load = server.load
      return try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try load() }) }
        thread.name = "apus.load"
        thread.start()
      }
    }
  }

  private func drain(_ model: ServedModel) async {
    let engine = model.generator.engine
    let timeout = configuration.limits.drainTimeout
    await withTaskGroup { group in
      group.addTask { await engine.drain() }
      group.addTask {
        try? await Task.sleep(for: timeout)
        // Ends what waits for the drain, too.
        if !Task.isCancelled { await engine.shutdown() }
      }
      await group.next()
      group.cancelAll()
    }
  }
}
