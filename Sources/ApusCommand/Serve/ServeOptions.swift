import ApusEngine
import ApusKernels
import ApusServer
import ArgumentParser

/// Where `apus serve` listens and for whom.
struct AddressOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Address to listen on.")
  var host = "127.0.0.1"

  @Option(parsing: .unconditional, help: "Port to listen on; 0 for any free one.")
  var port = 8080

  @Option(
    parsing: .unconditionalSingleValue,
    help: "A key that requests must bear. Repeatable: any of them will do.")
  var apiKey: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: "The model's name in requests and answers. Repeatable: the first is told, all are taken.")
  var servedModelName: [String] = []

  func configuration(limits: ServerLimits) throws(CommandFailure) -> ServerConfiguration {
    try check("--port", port, 0...65535)
    if apiKey.contains("") { throw CommandFailure("--api-key is empty; expected at least one character") }
    if servedModelName.contains("") {
      throw CommandFailure("--served-model-name is empty; expected at least one character")
    }
    return ServerConfiguration(host: host, port: port, apiKeys: apiKey, limits: limits)
  }
}

/// The orders in which waiting requests may get slots.
enum PolicyName: String, ExpressibleByArgument, CaseIterable {
  case fifo, priority, shortest, balance, fair

  var policy: any SchedulingPolicy {
    switch self {
    case .fifo: FIFOPolicy()
    case .priority: PriorityPolicy()
    case .shortest: ShortestRemainingPolicy()
    case .balance: LengthBalancePolicy()
    case .fair: FairSharePolicy()
    }
  }
}

/// How many requests run together, and in which order.
struct ServingOptions: ParsableArguments {
  static let contextLengthDefault = 8192

  @Option(parsing: .unconditional, help: "Requests that run together.")
  var slots = 8

  @Option(
    parsing: .unconditional,
    help: "Tokens of a prompt and its answer together. (default: the model's context, at most 8192)")
  var context: Int?

  @Option(parsing: .unconditional, help: "Prompt tokens of one step at most, over all prompts.")
  var prefillStep = 128

  @Option(
    parsing: .unconditional,
    help: """
      Milliseconds between the tokens of running requests that prompts are to keep: they get as many rows of a step as \
      fit, by what steps were measured to take; 0: always up to --prefill-step.
      """)
  var interTokenTarget = 0

  @Option(
    parsing: .unconditional,
    help: """
      Tokens that the KV cache holds, of all requests together. When it is full, the newest request of the lowest \
      priority waits and is computed again; what nobody needs now keeps prompts for others that begin alike. \
      (default: as many as full slots need)
      """)
  var kvTokens: Int?

  @Flag(help: "Keep no prompts for others that begin alike.")
  var noPrefixCaching = false

  @Option(
    parsing: .unconditional,
    help: "Tokens guessed ahead a step at most, by what came before; changes no answer; 0: none.")
  var draftTokens = EngineConfiguration().draftTokensMax

  @Option(parsing: .unconditional, help: "Which waiting request is next.")
  var policy = PolicyName.fifo

  @Option(parsing: .unconditional, help: "Requests that may wait; more are answered with 429.")
  var queueRequests = 256

  @Option(parsing: .unconditional, help: "Tokens that may wait, of all requests together.")
  var queueTokens = 1_048_576

  struct Sizes {
    var slotCount: Int
    /// Positions of one request at most; the model may have fewer.
    var contextLength: Int
    /// Pages of the KV cache; nil: as many as full slots need.
    var pageCount: Int?
    /// But for the model's end-of-sequence tokens.
    var engine: EngineConfiguration
  }

  func sizes() throws(CommandFailure) -> Sizes {
    try check("--slots", slots, 1...4096)
    if let context { try check("--context", context, 1...1 << 24) }
    try check("--prefill-step", prefillStep, 1...32768)
    try check("--inter-token-target", interTokenTarget, 0...600_000)
    if let kvTokens { try check("--kv-tokens", kvTokens, 1...1 << 27) }
    if let context, let kvTokens, kvTokens < context {
      throw CommandFailure("--kv-tokens is \(kvTokens); expected as many as --context, \(context), or more")
    }
    try check("--draft-tokens", draftTokens, 0...64)
    try check("--queue-requests", queueRequests, 1...1 << 20)
    try check("--queue-tokens", queueTokens, 1...1 << 40)
    return Sizes(
      slotCount: slots, contextLength: context ?? min(Self.contextLengthDefault, kvTokens ?? .max),
      pageCount: kvTokens.map { ($0 + KVLayout.pageSize - 1) / KVLayout.pageSize },
      engine: EngineConfiguration(
        prefillStep: prefillStep,
        interTokenTarget: interTokenTarget > 0 ? .milliseconds(interTokenTarget) : nil,
        queueLengthMax: queueRequests, queueTokensMax: queueTokens, policy: policy.policy,
        prefixCaching: !noPrefixCaching, draftTokensMax: draftTokens))
  }
}

/// What clients may send, and how long things may take.
struct LimitOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Bytes of a request's body at most.")
  var bodyBytes = ServerLimits().bodyByteCountMax

  @Option(parsing: .unconditional, help: "Open connections at most.")
  var connections = ServerLimits().connectionCountMax

  @Option(parsing: .unconditional, help: "Seconds a request may wait for a slot; 0: as long as it takes.")
  var queueTimeout = 300

  @Option(parsing: .unconditional, help: "Seconds a request may take in all; 0: as long as it takes.")
  var requestTimeout = 3600

  @Option(parsing: .unconditional, help: "Seconds a request's head, and its body, may take to arrive.")
  var readTimeout = 30

  @Option(parsing: .unconditional, help: "Seconds a client may leave unread what was sent to it.")
  var writeTimeout = 30

  @Option(parsing: .unconditional, help: "Seconds a connection may be open without a request.")
  var idleTimeout = 75

  @Option(parsing: .unconditional, help: "Seconds between comments in a stream that has nothing to say.")
  var keepAlive = 15

  @Option(parsing: .unconditional, help: "Seconds for running requests to finish after SIGTERM.")
  var drainTimeout = 30

  struct Timeouts {
    var queue: Duration?
    var request: Duration?
  }

  func timeouts() throws(CommandFailure) -> Timeouts {
    try check("--queue-timeout", queueTimeout, 0...86400)
    try check("--request-timeout", requestTimeout, 0...86400)
    return Timeouts(
      queue: queueTimeout == 0 ? nil : .seconds(queueTimeout),
      request: requestTimeout == 0 ? nil : .seconds(requestTimeout))
  }

  var limits: ServerLimits {
    get throws(CommandFailure) {
      try check("--body-bytes", bodyBytes, 1...1 << 30)
      try check("--connections", connections, 1...1 << 20)
      for (name, seconds) in [
        ("--read-timeout", readTimeout), ("--write-timeout", writeTimeout), ("--idle-timeout", idleTimeout),
        ("--keep-alive", keepAlive), ("--drain-timeout", drainTimeout),
      ] { try check(name, seconds, 1...86400) }
      return ServerLimits(
        bodyByteCountMax: bodyBytes, connectionCountMax: connections, headTimeout: .seconds(readTimeout),
        bodyTimeout: .seconds(readTimeout), idleTimeout: .seconds(idleTimeout),
        writeTimeout: .seconds(writeTimeout), keepAliveInterval: .seconds(keepAlive),
        drainTimeout: .seconds(drainTimeout))
    }
  }
}
