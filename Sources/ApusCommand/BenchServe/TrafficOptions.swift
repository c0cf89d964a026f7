import ArgumentParser
import NIOCore

/// Which server a load goes to, and how it is asked.
struct TargetOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "The server, with or without /v1; no TLS.")
  var baseURL = "http://127.0.0.1:8080"

  @Option(parsing: .unconditional, help: "The model's name in requests.")
  var model = "apus-stories"

  @Option(parsing: .unconditional, help: "A key that requests bear.")
  var apiKey: String?

  @Flag(help: "Ask /v1/chat/completions instead of /v1/completions.")
  var chat = false

  @Option(parsing: .unconditional, help: "Sampling temperature.")
  var temperature = 0.0

  @Flag(name: .customLong("ignore-eos"), help: "Ask for answers of full length, which not all servers know.")
  var ignoresEOS = false

  @Option(parsing: .unconditional, help: "Seconds a whole answer may take.")
  var requestTimeout = 3600

  func endpoint() throws(CommandFailure) -> CompletionEndpoint {
    guard (0...2).contains(temperature) else {
      throw CommandFailure("--temperature is \(temperature); expected 0...2")
    }
    var endpoint = try CompletionEndpoint(
      baseURL: baseURL, kind: chat ? .chat : .completions, model: model, apiKey: apiKey)
    endpoint.temperature = temperature
    endpoint.ignoresEOS = ignoresEOS
    return endpoint
  }

  func timeout() throws(CommandFailure) -> TimeAmount {
    try check("--request-timeout", requestTimeout, 1...86400)
    return .seconds(Int64(requestTimeout))
  }
}

/// What a load consists of, and when its requests come.
struct TrafficOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A trace of requests, JSON lines; - for standard input.", valueName: "file"))
  var dataset: String?

  @Option(
    parsing: .unconditional, help: "Requests to send; of a trace, the first so many. (default: 100, or all)")
  var numPrompts: Int?

  @Option(parsing: .unconditional, help: "Words of a random prompt: a number or a range such as 16-512.")
  var randomInputLen = LengthRange(64...64)

  @Option(
    parsing: .unconditional,
    help: "Tokens of the answer to a random prompt, or to one whose trace does not say: a number or a range.")
  var randomOutputLen = LengthRange(64...64)

  @Option(
    parsing: .unconditional, help: "Requests a second. (default: the trace's times, or inf, all at once)")
  var requestRate: Double?

  @Option(parsing: .unconditional, help: "1: Poisson arrivals; below: in bursts; above: more regular.")
  var burstiness = 1.0

  @Option(parsing: .unconditional, help: "Requests under way together at most.")
  var maxConcurrency: Int?

  @Option(parsing: .unconditional, help: "Of the random prompts, lengths and arrivals.")
  var seed: UInt64 = 0

  func run(for kind: CompletionEndpoint.Kind) throws -> LoadRun {
    if let numPrompts { try check("--num-prompts", numPrompts, 1...LoadRequest.countMax) }
    if let maxConcurrency { try check("--max-concurrency", maxConcurrency, 1...1 << 16) }
    if let requestRate, !(requestRate > 0) {
      throw CommandFailure("--request-rate is \(requestRate); expected more than 0")
    }
    guard burstiness.isFinite, burstiness > 0 else {
      throw CommandFailure("--burstiness is \(burstiness); expected more than 0")
    }
    let requests = try requests()
    if kind == .chat, let index = requests.firstIndex(where: { !$0.prompt.isText }) {
      throw CommandFailure("request \(index + 1) has token ids, which a chat does not take; expected text")
    }
    if requestRate == nil, requests[0].arrival != nil {
      let sorted = requests.sorted { $0.arrival! < $1.arrival! }
      return LoadRun(requests: sorted, arrivals: sorted.map { $0.arrival! }, concurrencyMax: maxConcurrency)
    }
    // Another seed than the prompts' own, which would tie lengths to gaps.
    let arrivals = ArrivalTimes.random(
      count: requests.count, rate: requestRate ?? .infinity, burstiness: burstiness, seed: ~seed)
    return LoadRun(requests: requests, arrivals: arrivals, concurrencyMax: maxConcurrency)
  }

  /// The rate a report names; nil where the trace's times were kept.
  func rate(of run: LoadRun) -> Double? {
    requestRate ?? (run.requests[0].arrival == nil ? .infinity : nil)
  }

  private func requests() throws -> [LoadRequest] {
    guard let dataset else {
      return LoadRequest.random(
        count: numPrompts ?? 100, input: randomInputLen, output: randomOutputLen, seed: seed)
    }
    return try LoadRequest.read(
      path: dataset, maxTokensDefault: randomOutputLen.range.upperBound,
      countMax: numPrompts ?? LoadRequest.countMax)
  }
}

extension LoadRequest {
  /// Tokens of the prompt, by its ids or, roughly, by its words: for servers that do not tell.
  var inputTokenCount: Int {
    switch prompt {
    case .ids(let ids): ids.count
    case .text(let text): text.split(separator: " ").count
    }
  }
}
