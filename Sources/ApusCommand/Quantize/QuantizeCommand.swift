import Apus
import ApusKernels
import ApusModel
import ArgumentParser
import Foundation

/// `apus quantize`
struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Writes a model with its weights packed, so that it loads without packing them again.",
    discussion: """
      The folder written is a model like any other of this program: it holds the weights in one safetensors file, laid \
      out as they are in memory and mapped when they are loaded, and copies of the model's configuration and \
      tokenizer. It is there whole or not at all.
      """)

  @OptionGroup var model: ModelArgument

  @Argument(help: ArgumentHelp("The folder to write, which must not be there yet.", valueName: "OUT"))
  var out: String

  @OptionGroup(title: "Kernels") var kernels: KernelOptions

  /// What a model's folder holds beside its weights.
  private static let copied = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
  ]

  func run() throws {
    let files = try model.files()
    guard case .folder(let source) = files else {
      throw CommandFailure(
        "\(files.path): a GGUF file, which is held as it is; expected a folder with config.json, or `embedded`"
      )
    }
    let target = URL(filePath: out).standardizedFileURL
    guard !FileManager.default.fileExists(atPath: target.path) else {
      throw CommandFailure("\(out): is there already; expected the name of a folder to be made")
    }
    let model = try files.open()
    let weights = try kernels.load(model, context: try kernels.context())
    try write(weights, from: source, to: target)
    let bytes = weights.byteCount.asBytes
    try StandardStreams.write("\(target.path): \(bytes) packed as \(weights.typeNames)\n")
  }

  /// Under another name beside the target first.
  private func write(_ weights: PackedWeights, from source: URL, to target: URL) throws {
    let manager = FileManager.default
    let name = ".\(target.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier)"
    let folder = target.deletingLastPathComponent().appending(path: name)
    do {
      try manager.createDirectory(at: folder, withIntermediateDirectories: false)
      do {
        for file in Self.copied where manager.fileExists(atPath: source.appending(path: file).path) {
          // The contents, where a model cache has a link.
          try Data(contentsOf: source.appending(path: file)).write(to: folder.appending(path: file))
        }
        let file = try OutputFile(path: folder.appending(path: "model.safetensors").path)
        try weights.withSerializedParts { bytes throws(CommandFailure) in try file.write(bytes) }
        try file.commit()
        try manager.moveItem(at: folder, to: target)
      } catch {
        try? manager.removeItem(at: folder)
        throw error
      }
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure("\(out): cannot be written: \(error.localizedDescription)")
    }
  }
}
