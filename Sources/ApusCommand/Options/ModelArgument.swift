import Apus
import ApusTokenizer
import ArgumentParser
import Foundation

/// The MODEL every subcommand takes.
struct ModelArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A Hugging Face folder (config.json, safetensors, tokenizer.json), or `embedded` for the model inside.",
      valueName: "MODEL"))
  var model: String

  /// The folder of the model's files.
  func folder() throws -> URL {
    let folder = try ModelLocation(model).resolved()
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory)
    guard exists, isDirectory.boolValue else {
      let problem = exists ? "not a folder" : "no such folder"
      throw CommandFailure("\(model): \(problem); expected a model's folder or `embedded`")
    }
    return folder
  }
}

extension Tokenizer {
  /// The tokenizer of a model's folder, nil where it has none: random test checkpoints have none.
  static func ifPresent(in folder: URL) throws(TokenizerError) -> Tokenizer? {
    let file = folder.appending(path: "tokenizer.json")
    return FileManager.default.fileExists(atPath: file.path) ? try Tokenizer(folder: folder) : nil
  }

  /// The tokenizer of a model's folder.
  /// - Parameter need: what cannot be done without it.
  static func required(in folder: URL, for need: String) throws -> Tokenizer {
    guard let tokenizer = try ifPresent(in: folder) else {
      throw CommandFailure("\(folder.path): no tokenizer.json, which \(need) needs")
    }
    return tokenizer
  }
}
