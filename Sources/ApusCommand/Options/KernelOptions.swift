import Apus
public import ApusKernels
import ApusModel
public import ArgumentParser

extension WeightType: ExpressibleByArgument {}

extension KVType: ExpressibleByArgument {}
extension InstructionSet: ExpressibleByArgument {}

/// How a model is held and run.
struct KernelOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Type the weights are held in. (default: the checkpoint's own)")
  var weights: WeightType?

  @Option(parsing: .unconditional, help: "Type that keys and values are held in.")
  var kvType = KVType.f32

  @Option(
    parsing: .unconditional, help: "Threads of each step. (default: the physical cores this process may use)")
  var threads: Int?

  @Option(parsing: .unconditional, help: "Instruction set of the kernels. (default: the best that runs here)")
  var isa: InstructionSet?

  @Flag(help: "Keep float32 activations, which integer weights round to int8 and bf16 dot products to bf16.")
  var precise = false

  func context() throws(KernelError) -> KernelContext {
    try KernelContext(instructionSet: isa, threadCount: threads, precise: precise)
  }

  /// Loads and packs the weights of `model` as --weights says, with progress on a terminal.
  func load(_ model: OpenModel, context: KernelContext) throws(LanguageModelError) -> PackedWeights {
    try load(model, type: weights, context: context)
  }

  /// - Parameter type: nil for the checkpoint's own.
  func load(
    _ model: OpenModel, type: WeightType?, context: KernelContext
  ) throws(LanguageModelError) -> PackedWeights {
    try Self.loadWithProgress(model, type: type, context: context)
  }

  static func loadWithProgress(
    _ model: OpenModel, type: WeightType?, context: KernelContext
  ) throws(LanguageModelError) -> PackedWeights {
    let progress = ProgressLine()
    let name = type.map { " as \($0.rawValue)" } ?? ""
    return try model.weights(type: type, context: context) { share in
      progress.update("loading weights\(name): \(Int(share * 100)) %")
    }
  }
}
