public import ApusKernels
public import ArgumentParser
public import BenchmarkSupport

/// What is measured.
enum WorkloadKind: String, CaseIterable, ExpressibleByArgument {
  /// The embedded model, or the one given, on ten prompts.
  case embedded
  /// Random weights, requests of equal length.
  case shape
  /// Random weights, a mix of lengths.
  case ragged
}

enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json, csv, markdown
}

extension WeightType: ExpressibleByArgument {}
extension KVType: ExpressibleByArgument {}
extension Qwen2Shape: ExpressibleByArgument {}
extension InstructionSet: ExpressibleByArgument {}
extension PolicyList: ExpressibleByArgument {
  public init?(argument: String) { self.init(names: argument) }
}

/// Batch sizes as they are typed: 1,2,4,8.
struct BatchSizes: ExpressibleByArgument {
  var values: [Int]

  init(_ values: [Int]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let values = parts.compactMap { $0 }
    guard values.count == parts.count, values.allSatisfy({ (1...1024).contains($0) }),
      Set(values).count == values.count
    else { return nil }
    self.values = values.sorted()
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}

struct BenchmarkOptions: ParsableArguments {
  @Option(help: "Batch sizes to compare, each in 1...1024.")
  var batchSizes = BatchSizes([1, 2, 4, 8])

  @Option(help: "Measure this only; may be repeated.")
  var only: [WorkloadKind] = []

  @Option(
    help: "Measure this model (a Hugging Face folder or a .gguf file) on the ten prompts, and nothing else.")
  var model: String?

  @Option(help: "Shape of the models with random weights: that of Qwen2-0.5B, -1.5B or -7B.")
  var shape = Qwen2Shape.half

  @Option(help: "Type to hold weights in (default: the checkpoint's own; bf16 for random weights).")
  var weights: WeightType?

  @Option(help: "Type to hold keys and values in.")
  var kvType = KVType.f32

  @Option(help: "Threads (default: physical cores this process may use).")
  var threads: Int?

  @Option(help: "Instruction set (default: the best that runs here).")
  var isa: InstructionSet?

  @Option(
    help: "Requests of each workload (default: 40 to the embedded model, 8 of equal, 12 of mixed length).")
  var requests: Int?

  @Option(help: "Prompt tokens of the requests of equal length.")
  var promptTokens = 128

  @Option(help: "Tokens that requests of equal length generate; also the limit for --model (default: 128).")
  var generatedTokens: Int?

  @Option(
    name: .customLong("repeat"),
    help:
      "Repetitions, batch sizes interleaved; medians are reported (default: 5 of the embedded model, else 1)."
  )
  var repetitions: Int?

  @Option(
    help: ArgumentHelp(
      """
      Compare scheduling policies instead, on one trace of mixed lengths at the largest batch size: one or more of \
      fifo, priority, shortest, balance, fair, separated by commas.
      """, valueName: "policies"))
  var policy: PolicyList?

  @Option(help: "How results are written.")
  var output = OutputFormat.text

  @Option(help: "Also draw throughput and the timeline of slots into this SVG file.")
  var svg: String?

  var workloads: [WorkloadKind] {
    if model != nil { return [.embedded] }
    return only.isEmpty ? WorkloadKind.allCases : WorkloadKind.allCases.filter(only.contains)
  }

  func validate() throws {
    func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
      guard let value, !range.contains(value) else { return }
      throw ValidationError("--\(name) is \(value); expected \(range.lowerBound)...\(range.upperBound)")
    }
    try check("threads", threads, 1...KernelContext.threadCountMax)
    try check("requests", requests, 1...100_000)
    try check("prompt-tokens", promptTokens, 1...Qwen2Shape.contextLength / 2)
    try check("generated-tokens", generatedTokens, 1...Qwen2Shape.contextLength / 2)
    try check("repeat", repetitions, 1...1000)
    guard model == nil || only.isEmpty else {
      throw ValidationError("--only chooses among the built-in workloads; --model brings its own")
    }
    guard policy == nil || (model == nil && only.isEmpty && output == .text && svg == nil) else {
      throw ValidationError(
        "--policy compares on random weights, as text; without --model, --only, --output and --svg")
    }
  }
}
