import ApusEngine
import ApusModel
import ApusObservability
import ArgumentParser
import BenchmarkSupport

/// What a long prompt costs those who decode beside it.
struct StallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stall", abstract: "Times between tokens of running requests while a long prompt comes in.")

  @OptionGroup var options: ShapeOptions

  @Option(help: "Tokens of the long prompt.")
  var promptTokens = 4096

  @Option(help: "Tokens that each running request generates.")
  var generatedTokens = 192

  func run() async throws {
    let console = ShapeOptions.console
    let runner = try options.runner(contextLength: promptTokens + 64, console: console)
    let table = try await measure(runner, console)
    console.say("\nWhile a prompt of \(grouped(promptTokens)) tokens is prefilled\n\n" + table.text())
  }

  private func measure(_ runner: LoadRunner, _ console: Console) async throws -> TextTable {
    var table = TextTable(header: [
      "prompt rows a step", "steps", "prefill s", "ITL ms\np50", "\np99", "p99\n/ p50", "before\np50 ms",
    ])
    var targets: [(String, Int, Double?)] = [("\(options.prefillStep)", options.prefillStep, nil)]
    for rows in [32, 16] where rows < options.prefillStep { targets.append(("\(rows)", rows, nil)) }
    let alone = try await run(runner, prefillStep: options.prefillStep, target: nil, console)
    let target = 2 * (alone.before.quantile(0.5) ?? 0.1)
    targets.append(("by time, \(formatted(target * 1000)) ms", options.prefillStep, target))
    for (name, rows, target) in targets {
      let run = try await run(runner, prefillStep: rows, target: target, console)
      let (p50, p99) = (run.during.quantile(0.5) ?? .nan, run.during.quantile(0.99) ?? .nan)
      table.append([
        name, grouped(run.steps), formatted(run.seconds), formatted(p50 * 1000), formatted(p99 * 1000),
        formatted(p99 / p50), formatted(run.before.quantile(0.5).map { $0 * 1000 }),
      ])
    }
    return table
  }

  private struct Run {
    /// Times between tokens, before the long prompt has a slot and until it has its first token.
    var before: [Double] = []
    var during: [Double] = []
    var steps = 0
    var seconds = 0.0
  }

  private func run(
    _ runner: LoadRunner, prefillStep: Int, target: Double?, _ console: Console
  ) async throws -> Run {
    console.progress.show("prompt rows a step: \(prefillStep)")
    let log = EventLog(capacity: 1 << 18)
    let engine = try await runner.engine(
      EngineConfiguration(
        prefillStep: prefillStep, interTokenTarget: target.map { .seconds($0) }, prefixCaching: false,
        draftTokensMax: 0), log: log)
    let vocabularySize = runner.weights.configuration.vocabularySize
    let short = LoadTrace.random(
      Array(
        repeating: RequestLengths(promptTokens: 16, generatedTokens: 1 << 20), count: runner.slotCount - 1),
      vocabularySize: vocabularySize, seed: 3)
    let long = LoadTrace.random(
      [RequestLengths(promptTokens: promptTokens, generatedTokens: 1)], vocabularySize: vocabularySize,
      seed: 4)
    let running = try await engine.generate(short.arrivals.map(\.request))
    while engine.metrics.decodeRowsTotal < 24 * (runner.slotCount - 1) {
      try await Task.sleep(for: .milliseconds(20))
    }
    let stream = try await engine.generate(long.arrivals[0].request)
    let usage = await stream.collect().usage
    for other in running { await engine.cancel(other.id) }
    guard let admitted = usage.timing.admitted, let done = usage.timing.firstToken else { return Run() }
    return Self.read(log.events(from: running[0].id), stream.id, admitted, done)
  }

  private static func read(
    _ events: [EngineEvent], _ long: RequestID, _ admitted: Duration, _ done: Duration
  ) -> Run {
    var run = Run()
    run.seconds = (done - admitted).inSeconds
    var last: [RequestID: Duration] = [:]
    for event in events {
      switch event {
      case .step(let step) where step.prefillRows > 0 && step.start >= admitted: run.steps += 1
      case .token(let id, _, _, let time) where id != long:
        if let before = last[id] {
          let seconds = (time - before).inSeconds
          if time <= admitted {
            run.before.append(seconds)
          } else if time <= done {
            run.during.append(seconds)
          }
        }
        last[id] = time
      default: break
      }
    }
    return run
  }
}
