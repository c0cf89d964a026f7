import ApusEngine
import ApusModel
import ApusObservability
import ArgumentParser
import BenchmarkSupport
import Foundation

/// A mix of requests under each policy, all at once and at a Poisson rate, against a full batch that decodes.
struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Mixed requests, all at once and at random times, under each policy.")

  @OptionGroup var options: ShapeOptions

  @Option(help: "Requests.")
  var requests = 32

  @Option(help: "Policies to compare, separated by commas: fifo, priority, shortest, balance, fair.")
  var policies = PolicyList([FIFOPolicy(), ShortestRemainingPolicy()])

  @Option(
    help: """
      Requests a second; 0: all at once only (default: 90 % of what all at once gave under the first policy).
      """)
  var rate: Double?

  @Option(help: ArgumentHelp("Writes the requests as a trace for bench-serve, and ends.", valueName: "file"))
  var saveTrace: String?

  func validate() throws {
    guard (1...100_000).contains(requests) else {
      throw ValidationError("--requests is \(requests); expected 1...100000")
    }
    if let rate, !(rate >= 0 && rate < 1e6) {
      throw ValidationError("--rate is \(rate); expected 0, or requests a second below 1000000")
    }
  }

  func run() async throws {
    let console = ShapeOptions.console
    let lengths = RequestLengths.mix(
      count: requests, promptTokens: 16...512, generatedTokens: 8...256, seed: 2024)
    let vocabularySize = try options.shape.configuration().vocabularySize
    let burst = LoadTrace.random(lengths, vocabularySize: vocabularySize, seed: 7)
    if let saveTrace {
      return try burst.jsonLines.write(toFile: saveTrace, atomically: true, encoding: .utf8)
    }
    let runner = try options.runner(
      contextLength: lengths.map { $0.promptTokens + $0.generatedTokens }.max() ?? 1, console: console)
    console.say(
      "\(requests) requests, \(grouped(burst.promptTokens)) prompt and \(grouped(burst.outputTokens)) output tokens"
    )
    let decode = try await fullBatch(runner, console)
    var table = LoadTable("arrivals, policy")
    var throughput: Double?
    for policy in policies.policies {
      let figures = try await serve(burst, policy, runner, console)
      throughput = throughput ?? Double(requests) / figures.seconds
      table.append("at once, \(policy.name)", figures)
    }
    let rate = rate ?? 0.9 * (throughput ?? 1)
    let poisson = LoadTrace.random(lengths, vocabularySize: vocabularySize, rate: max(rate, 1e-9), seed: 7)
    for policy in policies.policies where rate > 0 {
      table.append("\(formatted(rate))/s, \(policy.name)", try await serve(poisson, policy, runner, console))
    }
    console.say("A full batch decodes \(formatted(decode)) tokens/s.\n\n" + table.table.text())
  }

  private func serve(
    _ trace: LoadTrace, _ policy: any SchedulingPolicy, _ runner: LoadRunner, _ console: Console
  ) async throws -> LoadFigures {
    console.progress.show("serving, \(policy.name)")
    return try await runner.run(
      trace,
      EngineConfiguration(
        prefillStep: options.prefillStep, policy: policy, prefixCaching: false, draftTokensMax: 0)
    ).figures
  }

  /// Tokens a second of a batch whose slots are all decoding, at the mix's mean context.
  private func fullBatch(_ runner: LoadRunner, _ console: Console) async throws -> Double {
    console.progress.show("decoding a full batch")
    let log = EventLog(capacity: 1 << 16)
    let engine = try await runner.engine(
      EngineConfiguration(prefillStep: options.prefillStep, prefixCaching: false, draftTokensMax: 0), log: log
    )
    let lengths = Array(
      repeating: RequestLengths(promptTokens: 128, generatedTokens: 64), count: runner.slotCount)
    let trace = LoadTrace.random(
      lengths, vocabularySize: runner.weights.configuration.vocabularySize, seed: 8)
    let first = try await LoadRunner.serve(trace, on: engine).map(\.id).min()!
    var (rows, seconds) = (0, 0.0)
    for case .step(let step) in log.events(from: first)
    where step.prefillRows == 0 && step.decodeRows == runner.slotCount {
      rows += step.decodeRows
      seconds += (step.end - step.start).inSeconds
    }
    return Double(rows) / seconds
  }
}
