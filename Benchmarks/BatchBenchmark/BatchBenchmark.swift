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
    console.say(setup.machine.line)
    if let policies = options.policy {
      try await compare(policies, setup, console)
      return
    }
    var report = BenchmarkReport(machine: setup.machine)
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
  private func compare(_ policies: PolicyList, _ setup: BenchmarkSetup, _ console: Console) async throws {
    let comparison = PolicyComparison(
      policies: policies.policies, requestCount: options.requests ?? 24,
      batchSize: options.batchSizes.values.max() ?? 8)
    let (table, tokensIdentical) = try await comparison.measure(
      try setup.shapeWeights(console.progress), title: "\(options.shape.name)'s shape", setup: setup,
      console: console)
    console.progress.erase()
    console.say("\n" + table)
    guard tokensIdentical else {
      console.say("\nA policy changed a request's tokens.")
      throw ExitCode.failure
    }
    console.say("\nevery request got the same tokens under every policy")
  }
}
