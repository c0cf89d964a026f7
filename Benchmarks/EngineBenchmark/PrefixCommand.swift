import ApusEngine
import ApusModel
import ApusObservability
import ArgumentParser
import BenchmarkSupport

/// What a shared system prompt costs with the prefix cache and without.
struct PrefixCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prefix", abstract: "Time to the first token of requests that share a system prompt.")

  @OptionGroup var options: ShapeOptions

  @Option(help: "Tokens that all prompts begin with.")
  var sharedTokens = 1000

  @Option(help: "Requests, one after the other.")
  var requests = 16

  func run() async throws {
    let console = ShapeOptions.console
    let runner = try options.runner(contextLength: sharedTokens + 64, console: console)
    var table = TextTable(header: [
      "prefix cache", "first TTFT s", "later TTFT s\nmedian", "\nlongest", "tokens\nreused", "first\n/ later",
    ])
    var tokens: [[[Int32]]] = []
    var medians: [Double] = []
    for caches in [false, true] {
      console.progress.show("prefix cache \(caches ? "on" : "off")")
      let (figures, results) = try await serve(runner, caches: caches)
      tokens.append(results.map(\.tokenIDs))
      let later = figures.timesToFirstToken.dropFirst()
      let median = later.median ?? .nan
      medians.append(median)
      table.append([
        caches ? "on" : "off", formatted(figures.timesToFirstToken[0]), formatted(median),
        formatted(later.max()), grouped(figures.reusedTokens),
        formatted(figures.timesToFirstToken[0] / median),
      ])
    }
    console.say("\n\(requests) requests of \(sharedTokens) shared and 16 own tokens\n\n" + table.text())
    console.say("\nLater requests: \(formatted(medians[0] / medians[1])) times sooner with it.")
    guard tokens[0] == tokens[1] else {
      console.say("The cache changed tokens.")
      throw ExitCode.failure
    }
  }

  /// One request after the other, so that a first token waits for nobody else.
  private func serve(
    _ runner: LoadRunner, caches: Bool
  ) async throws -> (LoadFigures, [GenerationResult]) {
    let log = EventLog(capacity: 1 << 14)
    let engine = try await runner.engine(
      EngineConfiguration(prefillStep: options.prefillStep, prefixCaching: caches, draftTokensMax: 0),
      log: log)
    let vocabularySize = runner.weights.configuration.vocabularySize
    let lengths = Array(
      repeating: RequestLengths(promptTokens: sharedTokens + 16, generatedTokens: 8), count: requests)
    var trace = LoadTrace.random(lengths, vocabularySize: vocabularySize, seed: 5)
    let shared = trace.arrivals[0].request.promptTokens.prefix(sharedTokens)
    var results: [GenerationResult] = []
    var first: RequestID?
    for index in trace.arrivals.indices {
      trace.arrivals[index].request.promptTokens.replaceSubrange(0..<sharedTokens, with: shared)
      let stream = try await engine.generate(trace.arrivals[index].request)
      first = first ?? stream.id
      results.append(await stream.collect())
    }
    return (LoadFigures(log.events(from: first!)), results)
  }
}
