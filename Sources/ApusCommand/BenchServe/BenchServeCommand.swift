import ApusServer
import ArgumentParser
import NIOCore
import NIOPosix

/// `apus bench-serve`
struct BenchServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-serve",
    abstract: "Loads an OpenAI-compatible server and measures how it answers.",
    discussion: """
      Requests stream. They come from a trace (--dataset: JSON lines with prompt or prompt_token_ids, \
      max_tokens and, where it has times, arrival in seconds), or are random words. They are sent at the \
      trace's times, at a Poisson rate (--request-rate), or all at once, and with --max-concurrency no more \
      than so many together.

      Each request has a connection of its own, and its time begins before that is made. Output tokens are \
      counted by the server's usage, and by the pieces of its streams where it gives none. The exit code is 1 \
      if no request was answered.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @OptionGroup(title: "Server") var target: TargetOptions
  @OptionGroup(title: "Load") var load: TrafficOptions

  @Option(
    parsing: .upToNextOption,
    help: "What a good request keeps: ttft:MS, tpot:MS, e2el:MS. Only requests that keep all are goodput.")
  var goodput: [GoodputObjective] = []

  @Option(parsing: .unconditional, help: "What to write to standard output.")
  var output = Output.text

  @Option(parsing: .unconditional, help: ArgumentHelp("Write the JSON to this file, too.", valueName: "file"))
  var saveResult: String?

  @Flag(help: "Put each request's times, text and failure into the JSON.")
  var saveDetailed = false

  func run() async throws {
    let endpoint = try target.endpoint()
    let run = try load.run(for: endpoint.kind)
    let timeout = try target.timeout()
    OpenFileLimit.raise()
    // Opened before the load: a result that cannot be kept is not worth waiting for.
    let file = try saveResult.map { try OutputFile(path: $0) }
    let clock = ContinuousClock()
    let client = CompletionClient(
      endpoint: endpoint, group: .singletonMultiThreadedEventLoopGroup, timeout: timeout, clock: clock,
      origin: clock.now)
    let progress = ProgressLine()
    let (outcomes, duration) = await run.run(with: client) { count in
      progress.update("\(count) of \(run.requests.count) requests")
    }
    progress.clear()
    let metrics = ServingMetrics(
      outcomes, inputTokenCounts: run.requests.map(\.inputTokenCount), duration: duration, goodput: goodput)
    let report = ServingReport(
      metrics: metrics, endpoint: endpoint, requestCount: run.requests.count, rate: load.rate(of: run),
      burstiness: load.burstiness, concurrencyMax: load.maxConcurrency)
    let json = report.json(details: saveDetailed ? outcomes : nil).text + "\n"
    if let file {
      var json = json
      try json.withUTF8 { try file.write(UnsafeRawBufferPointer($0)) }
      try file.commit()
    }
    try StandardStreams.write(output == .json ? json : report.text)
    try tell(of: outcomes, metrics)
  }

  /// What the figures leave out, on standard error.
  private func tell(of outcomes: [RequestOutcome], _ metrics: ServingMetrics) throws(CommandFailure) {
    let failure = outcomes.compactMap(\.failure).first
    guard metrics.completedCount > 0 else {
      throw CommandFailure("no request was answered; the first: \(failure ?? "there was none")")
    }
    if let failure {
      StandardStreams.writeError("apus: a request failed: \(failure.asOneLine)\n")
    }
    let means =
      switch metrics.tokenCount {
      case .usage: "the server's usage"
      case .chunks: "pieces of streams, for lack of usage"
      case .mixed: "the server's usage, and pieces of streams where it gave none"
      }
    StandardStreams.writeError("output tokens counted by \(means)\n")
  }
}
