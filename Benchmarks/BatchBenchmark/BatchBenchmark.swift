import ApusModel
import ArgumentParser
import BenchmarkSupport
import Foundation

@main
struct BatchBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch-benchmark",
    abstract:
      "Serves the same requests at several batch sizes and reports what batching buys on this machine.",
    discussion: """
      Without options: the embedded model on ten prompts, then a model of Qwen2-0.5B's shape with random \
      weights, on requests of equal length and on a mix of lengths. Every run must give every request the \
      same tokens.
      """)

  @OptionGroup var options: BenchmarkOptions

  func run() async throws {
    let progress = ProgressLine()
    let setup = try BenchmarkSetup(options)
    let console = Console(isText: options.output == .text, progress: progress)
    var report = BenchmarkReport(machine: setup.machine)
    console.say(setup.machine.line)
    let runner = WorkloadRunner(
      context: setup.context, bandwidth: setup.bandwidth, console: console)
    var shape: PackedWeights?
    for kind in options.workloads {
      let workload: Workload
      switch kind {
      case .embedded: workload = try setup.textWorkload(progress)
      case .shape, .ragged:
        let weights = try shape ?? setup.shapeWeights(progress)
        shape = weights
        workload = kind == .shape ? setup.uniformWorkload(weights) : setup.raggedWorkload(weights)
      }
      report.workloads.append(try await runner.measure(workload))
    }
    progress.erase()
    switch options.output {
    case .text: break
    case .json: print(report.json())
    case .csv: print(report.commaSeparatedValues())
    case .markdown: print(report.markdown())
    }
    if let svg = options.svg {
      try report.drawing().write(toFile: svg, atomically: true, encoding: .utf8)
      console.say("\nDrawings are in \(svg)")
    }
    guard report.workloads.allSatisfy(\.tokensIdentical) else { throw ExitCode.failure }
  }
}
