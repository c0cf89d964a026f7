import Hummingbird
import Logging
import NIOCore

/// What is known of one request beside itself.
struct ServerContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel
  /// Which of the API keys the request bears, if there are any.
  var keyIndex: Int?

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  /// Tells when the client goes.
  func connection() async -> ClientConnection {
    let channel = channel
    let found = try? await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).connection
    }.get()
    // Without a guard there is no client that could go, as in tests.
    return found ?? ClientConnection()
  }
}
