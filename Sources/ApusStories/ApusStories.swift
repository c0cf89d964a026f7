public import Foundation

/// The embedded model: a small storyteller in the Qwen2 architecture, a resource of this module. Its card is
/// `README.md` in the folder; the scripts that made it are in `Training` beside this file.
public enum ApusStories {
  /// The folder with `config.json`, `model.safetensors`, `tokenizer.json` and their like, as Hugging Face
  /// transformers loads it.
  /// - Throws: `StoriesError` when the program was installed without the resource bundle.
  public static func modelDirectory() throws(StoriesError) -> URL {
    let folder = Bundle.module.resourceURL?.appending(path: "Model")
    guard let folder, FileManager.default.fileExists(atPath: folder.appending(path: "config.json").path)
    else {
      throw .resourceMissing(path: folder?.path ?? Bundle.module.bundlePath)
    }
    return folder
  }
}

/// Why the embedded model cannot be had.
public enum StoriesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The model's files are not where the build put them.
  case resourceMissing(path: String)

  public var description: String {
    switch self {
    case .resourceMissing(let path):
      "the embedded model is missing: expected its files in \(path), in the resource bundle beside the executable"
    }
  }
}
