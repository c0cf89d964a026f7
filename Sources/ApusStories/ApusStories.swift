public import Foundation

/// The embedded model: a small storyteller in the Qwen2 architecture, a resource of this module. Its card is
/// `README.md` in the folder; the scripts that made it are in `Training` beside this file.
public enum ApusStories {
  /// The folder with `config.json`, `model.safetensors`, `tokenizer.json` and their like, as Hugging Face
  /// transformers loads it.
  /// - Throws: `StoriesError` when the program was installed without the resource bundle.
  public static func modelDirectory() throws(StoriesError) -> URL {
    let candidates = bundles.map { $0.appending(path: "Model") } + [sourceFolder]
    let found = candidates.first {
      FileManager.default.fileExists(atPath: $0.appending(path: "config.json").path)
    }
    guard let found else { throw .resourceMissing(searched: candidates.map(\.path)) }
    return found
  }

  /// Where builds put this module's resources. `Bundle.module` knows as well, but ends the process when it finds none.
  private static var bundles: [URL] {
    let places = [
      Bundle.main.resourceURL, Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent(),
    ]
    return places.compactMap { $0 }.flatMap { place in
      ["Apus_ApusStories.resources", "Apus_ApusStories.bundle", "Apus_ApusStories.bundle/Contents/Resources"]
        .map {
          place.appending(path: $0)
        }
    }
  }

  /// The model's place in the sources, where the build was made from them.
  private static let sourceFolder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "Model")
}

/// Why the embedded model cannot be had.
public enum StoriesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The model's files are in none of the folders where a build or an installation puts them.
  case resourceMissing(searched: [String])

  public var description: String {
    switch self {
    case .resourceMissing(let searched):
      "the embedded model is missing; expected config.json in one of: " + searched.joined(separator: ", ")
    }
  }
}
