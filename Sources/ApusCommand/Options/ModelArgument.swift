import Apus
import ApusTokenizer
import ArgumentParser
import Foundation

/// The MODEL every subcommand takes.
struct ModelArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      """
      A Hugging Face folder (config.json, safetensors, tokenizer.json), a .gguf file, or `embedded` for the model \
      inside.
      """,
      valueName: "MODEL"))
  var model: String

  /// What reports call it.
  func name(of files: ModelFiles) -> String { model == "embedded" ? model : files.name }

  /// The model's files: a folder that is there, or a GGUF file whose header is sound.
  func files() throws -> ModelFiles { try Self.files(of: model) }

  static func files(of model: String) throws -> ModelFiles {
    let files = try ModelLocation(model).files()
    guard case .folder(let folder) = files else { return files }
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory)
    guard exists, isDirectory.boolValue else {
      let problem = exists ? "not a folder" : "no such folder"
      throw CommandFailure("\(model): \(problem); expected a model's folder, a .gguf file or `embedded`")
    }
    return files
  }
}

extension ModelFiles {
  /// The model's tokenizer.
  /// - Parameter need: what cannot be done without it.
  func tokenizer(for need: String) throws -> Tokenizer {
    guard let tokenizer = try tokenizer() else {
      throw CommandFailure("\(path): no \(tokenizerPlace), which \(need) needs")
    }
    return tokenizer
  }
}
