import ApusEngine
public import ApusKernels
import ApusModel
public import ArgumentParser
public import BenchmarkSupport

extension WeightType: ExpressibleByArgument {}
extension KVType: ExpressibleByArgument {}
extension Qwen2Shape: ExpressibleByArgument {}

/// The model that is measured.
struct ShapeOptions: ParsableArguments {
  @Option(help: "Shape of the model: that of Qwen2-0.5B, -1.5B or -7B.")
  var shape = Qwen2Shape.half

  @Option(help: "Type to hold weights in.")
  var weights = WeightType.bf16

  @Option(help: "Type to hold keys and values in.")
  var kvType = KVType.f32

  @Option(help: "Threads (default: physical cores this process may use).")
  var threads: Int?

  @Option(help: "Requests that run together.")
  var slots = 8

  @Option(help: "Prompt rows of a step at most.")
  var prefillStep = 128

  func validate() throws {
    guard (1...1024).contains(slots) else { throw ValidationError("--slots is \(slots); expected 1...1024") }
    guard (1...65_536).contains(prefillStep) else {
      throw ValidationError("--prefill-step is \(prefillStep); expected 1...65536")
    }
  }

  /// Makes the model, and says what is measured on what.
  func runner(contextLength: Int, slotCount: Int? = nil, console: Console) throws -> LoadRunner {
    let context = try KernelContext(threadCount: threads)
    console.say("\(Processor.name()), \(context.instructionSet.rawValue), \(context.threadCount) threads")
    let weights = try PackedWeights(
      RandomWeights(seed: 2024), configuration: try shape.configuration(), type: weights, context: context
    ) { share in console.progress.show("making random weights: \(formattedPercent(share))") }
    let slots = slotCount ?? self.slots
    console.say(
      "\(shape.name)'s shape, \(self.weights.rawValue), \(slots) slots of \(contextLength) positions")
    return LoadRunner(
      weights, context: context, slotCount: slots, contextLength: contextLength, kvType: kvType)
  }

  static let console = Console(isText: true, progress: ProgressLine())
}

extension PolicyList: ExpressibleByArgument {
  public init?(argument: String) { self.init(names: argument) }

  public var defaultValueDescription: String { names }
}
