import Apus
import ApusKernels
import ApusModel
import ApusServer
import ApusTokenizer
import ArgumentParser
import Foundation

/// `apus inspect`
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Loads and checks all of a model, and tells what it is and what it will take.",
    discussion: """
      Every tensor is read, checked and packed as for running. What cannot be run is refused: one line \
      on standard error and exit code 1.
      """)

  @OptionGroup var model: ModelArgument

  @Flag(help: "Print one JSON object, tensors included.")
  var json = false

  @Flag(help: "List every tensor.")
  var tensors = false

  @Option(parsing: .unconditional, help: "Sequences that the KV cache is reckoned for.")
  var slots = 8

  @Option(
    parsing: .unconditional,
    help: "Tokens of each sequence that the KV cache is reckoned for. (default: the model's context)")
  var context: Int?

  @OptionGroup(title: "Kernels") var kernels: KernelOptions

  func run() throws {
    let files = try model.files()
    let kernelContext = try kernels.context()
    let model = try files.open()
    let configuration = model.configuration
    try check("--slots", slots, 1...4096)
    if let context { try check("--context", context, 1...configuration.contextLength) }
    let tokenizer = try files.tokenizer()
    let weights = try kernels.load(model, context: kernelContext)
    let report = ModelReport(
      path: files.path, model: model, weights: weights,
      tokenizerSize: tokenizer?.vocabularySize,
      cache: CacheSize(
        configuration, type: kernels.kvType, slotCount: slots,
        contextLength: context ?? configuration.contextLength),
      context: kernelContext, topology: .current())
    try StandardStreams.write(json ? report.json.text + "\n" : report.text(listingTensors: tensors))
  }
}
