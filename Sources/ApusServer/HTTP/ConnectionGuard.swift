import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import Synchronization

/// How many connections are open.
final class ConnectionCounter: Sendable {
  private let count = Atomic<Int>(0)

  init() {}

  /// The count with one more.
  func enter() -> Int { count.add(1, ordering: .relaxed).newValue }
  func leave() { count.subtract(1, ordering: .relaxed) }
}

/// Holds a connection to its limits: of time for heads, bodies, idling and reading, and of how many there
/// are; refuses what is no HTTP with an error that says so; and tells who works for the client when it has
/// gone.
///
/// Sits behind the HTTP codec. A second handler before it shows it when bytes come.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private static let sendBufferByteCount: SocketOptionValue = 128 << 10

  let connection = ClientConnection()
  private let limits: ServerLimits
  private let counter: ConnectionCounter
  private let clock = ContinuousClock()
  private let origin: ContinuousClock.Instant
  private var state: ConnectionState
  private var scheduled: (task: Scheduled<Void>, deadline: Duration)?
  private var isCounted = false

  init(limits: ServerLimits, counter: ConnectionCounter) {
    self.limits = limits
    self.counter = counter
    origin = clock.now
    state = ConnectionState(limits: limits, now: .zero)
  }

  private var now: Duration { clock.now - origin }

  var dropsInput: Bool { state.dropsInput }

  func handlerAdded(context: ChannelHandlerContext) {
    try? context.pipeline.syncOperations.addHandler(ByteArrival(self, context: context), position: .first)
    // The system would hold megabytes for each client that does not read.
    _ = context.channel.setOption(.socketOption(.so_sndbuf), value: Self.sendBufferByteCount)
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard !isCounted else { return }
    isCounted = true
    if counter.enter() > limits.connectionCountMax {
      refuse(
        context,
        .unavailable(
          "too many connections, at most \(limits.connectionCountMax)", code: "too_many_connections"))
    }
    schedule(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  private func end() {
    scheduled?.task.cancel()
    scheduled = nil
    if isCounted {
      isCounted = false
      counter.leave()
    }
    connection.close()
  }

  // MARK: - What comes in

  func bytesArrived(_ context: ChannelHandlerContext) {
    state.bytesRead(at: now)
    schedule(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      state.headRead(at: now)
      if head.headerFields[.expect]?.lowercased() == "100-continue", isWithinBodyLimit(head) {
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
      }
    case .body: break
    case .end: state.endRead(at: now)
    }
    schedule(context)
    context.fireChannelRead(data)
  }

  private func isWithinBodyLimit(_ head: HTTPRequest) -> Bool {
    head.headerFields[.contentLength].flatMap { Int($0) } ?? 0 <= limits.bodyByteCountMax
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { connection.close() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError, state.canRefuse else {
      connection.close()
      return context.fireErrorCaught(error)
    }
    let isTooLarge = error == .headerOverflow
    refuse(
      context,
      APIError(
        status: isTooLarge ? 431 : 400,
        message: isTooLarge
          ? "the header fields have more bytes than the \(limits.headerByteCountMax) that are taken"
          : "the request is not valid HTTP: \(error)",
        code: isTooLarge ? "headers_too_large" : "invalid_http"))
  }

  // MARK: - What goes out

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head) where head.status.kind != .informational:
      state.answerBegun()
      if state.isUnread { head.headerFields[.connection] = "close" }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .end:
      let mustClose = state.answerEnded(at: now)
      context.write(data, promise: promise)
      if mustClose {
        context.flush()
        context.close(mode: .output, promise: nil)
      }
      schedule(context)
    default: context.write(data, promise: promise)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    state.writabilityChanged(context.channel.isWritable, at: now)
    schedule(context)
    context.fireChannelWritabilityChanged()
  }

  /// Writes an answer of its own and closes once the client has had time to read it.
  private func refuse(_ context: ChannelHandlerContext, _ error: APIError) {
    var buffer = context.channel.allocator.buffer(capacity: 256)
    buffer.writeString(error.json.text)
    var head = HTTPResponse(status: .init(code: error.status))
    head.headerFields[.contentType] = "application/json"
    head.headerFields[.contentLength] = "\(buffer.readableBytes)"
    head.headerFields[.connection] = "close"
    if let seconds = error.retryAfter { head.headerFields[.retryAfter] = "\(seconds)" }
    state.linger(at: now)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(buffer)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(mode: .output, promise: nil)
    connection.close()
    schedule(context)
  }

  // MARK: - Time

  private func schedule(_ context: ChannelHandlerContext) {
    guard let deadline = state.deadline, isCounted else { return }
    if let scheduled {
      // A later deadline is found when the earlier one comes.
      guard deadline < scheduled.deadline else { return }
      scheduled.task.cancel()
    }
    let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
    let contextBound = NIOLoopBound(context, eventLoop: context.eventLoop)
    let delay = max(deadline - now, .zero)
    let task = context.eventLoop.scheduleTask(in: .nanoseconds(Int64(delay / .nanoseconds(1)))) {
      loopBound.value.expire(contextBound.value)
    }
    scheduled = (task, deadline)
  }

  private func expire(_ context: ChannelHandlerContext) {
    scheduled = nil
    switch state.expire(at: now) {
    case .none: schedule(context)
    case .close: context.close(promise: nil)
    case .timeOut:
      refuse(
        context,
        APIError(status: 408, message: "the request took too long to arrive", code: "request_timeout"))
    }
  }
}

/// Shows a guard when bytes come, before they are parsed; drops them once nobody is to see them.
private final class ByteArrival: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let owner: ConnectionGuard
  private let ownerContext: ChannelHandlerContext

  init(_ owner: ConnectionGuard, context: ChannelHandlerContext) {
    self.owner = owner
    ownerContext = context
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !owner.dropsInput else { return }
    owner.bytesArrived(ownerContext)
    context.fireChannelRead(data)
  }
}
