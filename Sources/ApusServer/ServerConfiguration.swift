/// Where a server listens and whom it lets in.
public struct ServerConfiguration: Sendable, Equatable {
  public var host: String
  /// 0: any free one.
  public var port: Int
  /// Keys one of which requests must bear, as `Authorization: Bearer KEY`. None: everybody is let in.
  public var apiKeys: [String]
  public var limits: ServerLimits

  public init(
    host: String = "127.0.0.1", port: Int = 8080, apiKeys: [String] = [],
    limits: ServerLimits = ServerLimits()
  ) {
    self.host = host
    self.port = port
    self.apiKeys = apiKeys
    self.limits = limits
  }
}

/// How much a client may send, and how long it may take. The engine's own limits, of queue and context, are
/// its configuration's.
public struct ServerLimits: Sendable, Equatable {
  /// Bytes of a request's body.
  public var bodyByteCountMax: Int
  /// Bytes of all header fields of a request, and of one.
  public var headerByteCountMax: Int
  public var headerFieldByteCountMax: Int
  /// Connections that are open together. One more is answered with 503 and closed.
  public var connectionCountMax: Int
  /// From a request's first byte to the end of its head.
  public var headTimeout: Duration
  /// From the end of a request's head to the end of its body.
  public var bodyTimeout: Duration
  /// Without a request.
  public var idleTimeout: Duration
  /// Without reading any of what was sent.
  public var writeTimeout: Duration
  /// Between comments in a stream that has nothing to say.
  public var keepAliveInterval: Duration
  /// For requests that run when the server is asked to end.
  public var drainTimeout: Duration

  public init(
    bodyByteCountMax: Int = 4 << 20, headerByteCountMax: Int = 64 << 10,
    headerFieldByteCountMax: Int = 16 << 10,
    connectionCountMax: Int = 4096, headTimeout: Duration = .seconds(10),
    bodyTimeout: Duration = .seconds(30),
    idleTimeout: Duration = .seconds(75), writeTimeout: Duration = .seconds(30),
    keepAliveInterval: Duration = .seconds(15), drainTimeout: Duration = .seconds(30)
  ) {
    self.bodyByteCountMax = bodyByteCountMax
    self.headerByteCountMax = headerByteCountMax
    self.headerFieldByteCountMax = headerFieldByteCountMax
    self.connectionCountMax = connectionCountMax
    self.headTimeout = headTimeout
    self.bodyTimeout = bodyTimeout
    self.idleTimeout = idleTimeout
    self.writeTimeout = writeTimeout
    self.keepAliveInterval = keepAliveInterval
    self.drainTimeout = drainTimeout
  }
}
