import ApusServer
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends requests over HTTP/1.1, each on a connection of its own, so that connecting is part of every
/// request's time and no request waits behind another. Times are taken on the event loop, as bytes come.
struct CompletionClient: Sendable {
  let endpoint: CompletionEndpoint
  let group: any EventLoopGroup
  /// For a whole answer.
  let timeout: TimeAmount
  let clock: ContinuousClock
  let origin: ContinuousClock.Instant

  /// Never throws: what goes wrong is the outcome's failure.
  func send(_ request: LoadRequest) async -> RequestOutcome {
    let body = ByteBuffer(string: endpoint.body(request).text)
    let start = clock.now
    let reader = AnswerReader(start: (start - origin) / .seconds(1))
    do {
      let channel = try await ClientBootstrap(group: group)
        .connectTimeout(.seconds(10))
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .connect(host: endpoint.host, port: endpoint.port).get()
      return try await channel.eventLoop.flatSubmit {
        let promise = channel.eventLoop.makePromise(of: RequestOutcome.self)
        do {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHTTPClientHandlers()
          try pipeline.addHandler(
            AnswerHandler(reader, promise: promise, timeout: timeout) {
              (clock.now - start) / .seconds(1)
            })
          channel.write(HTTPClientRequestPart.head(head(byteCount: body.readableBytes)), promise: nil)
          channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
          channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        } catch {
          promise.fail(error)
          channel.close(promise: nil)
        }
        return promise.futureResult
      }.get()
    } catch {
      var outcome = reader.outcome
      outcome.failure = "no connection: \(error)"
      return outcome
    }
  }

  private func head(byteCount: Int) -> HTTPRequestHead {
    let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
    var headers = HTTPHeaders([
      ("Host", "\(host):\(endpoint.port)"), ("Content-Type", "application/json"),
      ("Content-Length", "\(byteCount)"), ("Accept", "text/event-stream"), ("Connection", "close"),
    ])
    if let key = endpoint.apiKey { headers.add(name: "Authorization", value: "Bearer \(key)") }
    return HTTPRequestHead(version: .http1_1, method: .POST, uri: endpoint.path, headers: headers)
  }
}

/// Feeds what comes on a connection to a reader, and gives its outcome once, at the end of the answer, of the
/// connection or of the time.
private final class AnswerHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private var reader: AnswerReader
  private var promise: EventLoopPromise<RequestOutcome>?
  private let timeout: TimeAmount
  private let now: () -> Double
  private var deadline: Scheduled<Void>?

  init(
    _ reader: AnswerReader, promise: EventLoopPromise<RequestOutcome>, timeout: TimeAmount,
    now: @escaping () -> Double
  ) {
    self.reader = reader
    self.promise = promise
    self.timeout = timeout
    self.now = now
  }

  func handlerAdded(context: ChannelHandlerContext) {
    guard context.channel.isActive else { return finish(context) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: timeout) {
      let (handler, context) = bound.value
      handler.reader.fail("no whole answer in time")
      handler.finish(context)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): reader.headRead(status: Int(head.status.code))
    case .body(let buffer): reader.bodyRead(buffer.readableBytesView, at: now())
    case .end: finish(context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { finish(context) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    reader.fail("the connection failed: \(error)")
    finish(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) { finish(context) }

  private func finish(_ context: ChannelHandlerContext) {
    guard let promise else { return }
    self.promise = nil
    deadline?.cancel()
    reader.ended()
    promise.succeed(reader.outcome)
    context.close(promise: nil)
  }
}
