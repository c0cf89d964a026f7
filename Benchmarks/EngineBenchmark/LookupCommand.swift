import ApusEngine
import ApusModel
import ApusObservability
import ArgumentParser
import BenchmarkSupport

/// What guessing ahead by prompt lookup brings, where texts repeat and where they do not.
///
/// Random weights do not copy, so the copying task is made by force: the request's constraint allows one token at each
/// position, that of a text which repeats itself, or of one which never does. The engine's work is the same as for a
/// model that would choose these tokens.
struct LookupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lookup", abstract: "Tokens a second with guesses from the prompt and without, one request.")

  @OptionGroup var options: ShapeOptions

  @Option(help: "Tokens to generate.")
  var generatedTokens = 256

  @Option(name: .customLong("repeat"), help: "Pairs of runs.")
  var repetitions = 5

  func run() async throws {
    let console = ShapeOptions.console
    let runner = try options.runner(
      contextLength: generatedTokens + 512, slotCount: 1, console: console)
    var table = TextTable(header: [
      "text", "off\ntokens/s", "on\ntokens/s", "on / off\nmedian", "\nleast", "\nmost", "drafted", "accepted",
    ])
    for copies in [true, false] {
      var (off, on, ratios): ([Double], [Double], [Double]) = ([], [], [])
      var metrics: EngineMetrics?
      for repetition in 0..<repetitions {
        console.progress.show("\(copies ? "copying" : "random") text, \(repetition + 1) of \(repetitions)")
        // In turn who goes first, so that a machine that slows down favours neither.
        for guesses in repetition % 2 == 0 ? [false, true] : [true, false] {
          let run = try await rate(runner, copies: copies, draftMax: guesses ? 8 : 0)
          if guesses {
            on.append(run.rate)
            metrics = run.metrics
          } else {
            off.append(run.rate)
          }
        }
        ratios.append(on[repetition] / off[repetition])
      }
      table.append([
        copies ? "copying" : "random", formatted(off.median), formatted(on.median), formatted(ratios.median),
        formatted(ratios.min()), formatted(ratios.max()), grouped(metrics?.specDecodeDraftTokens ?? 0),
        grouped(metrics?.specDecodeAcceptedTokens ?? 0),
      ])
    }
    console.say("\n\(generatedTokens) tokens after a prompt of 256, one request\n\n" + table.text())
  }

  private func rate(
    _ runner: LoadRunner, copies: Bool, draftMax: Int
  ) async throws -> (rate: Double, metrics: EngineMetrics) {
    let log = EventLog(capacity: 1 << 12)
    let engine = try await runner.engine(
      EngineConfiguration(prefillStep: options.prefillStep, prefixCaching: false, draftTokensMax: draftMax),
      log: log)
    let vocabularySize = runner.weights.configuration.vocabularySize
    var random = SplitMix64(seed: 6)
    let prompt = (0..<256).map { _ in Int32.random(in: 0..<Int32(vocabularySize), using: &random) }
    let text =
      copies
      ? (0..<generatedTokens).map { prompt[$0 % prompt.count] }
      : (0..<generatedTokens).map { _ in Int32.random(in: 0..<Int32(vocabularySize), using: &random) }
    let request = GenerationRequest(
      promptTokens: prompt + (copies ? prompt.prefix(1) : []),
      sampling: SamplingParameters(temperature: 0, maxTokens: generatedTokens - 1, ignoreEOS: true),
      constraint: FixedText(tokens: copies ? Array(text.dropFirst()) : text))
    let result = try await engine.generate(request).collect()
    guard let first = result.usage.timing.firstToken, let end = result.usage.timing.finished else {
      throw RequestFailure(request: 0, reason: result.finishReason)
    }
    return (Double(result.tokens.count - 1) / (end - first).inSeconds, engine.metrics)
  }
}

/// Allows one text.
struct FixedText: TokenConstraint {
  let tokens: [Int32]
  private var next = 0

  init(tokens: [Int32]) { self.tokens = tokens }

  mutating func allowedTokens(into mask: inout TokenMask) {
    mask.removeAll()
    mask[tokens[next]] = true
  }

  mutating func advance(_ token: Int32) { next += 1 }

  var isComplete: Bool { next == tokens.count }
}
