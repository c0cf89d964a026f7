import ApusStories
public import Foundation

/// Where a model is: the one that comes with the library, a Hugging Face folder, or a GGUF file.
public enum ModelLocation: Sendable, Equatable {
  /// The small storyteller inside the package.
  case embedded
  /// A folder with `config.json`, `tokenizer.json` and safetensors.
  case folder(URL)
  /// One file with weights, configuration and tokenizer.
  case gguf(URL)

  /// `embedded`, the path of a file whose name ends in `.gguf`, or the path of a folder.
  public init(_ name: String) {
    guard name != "embedded" else {
      self = .embedded
      return
    }
    let url = URL(filePath: name)
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    self = url.pathExtension.lowercased() == "gguf" && !isFolder.boolValue ? .gguf(url) : .folder(url)
  }
}

extension ModelLocation: ExpressibleByStringLiteral {
  public init(stringLiteral name: String) { self.init(name) }
}

extension ModelLocation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .embedded: "embedded"
    case .folder(let url), .gguf(let url): url.path
    }
  }
}

extension ModelLocation {
  /// The folder that holds the model's files, or the file that is all of it.
  public func resolved() throws(LanguageModelError) -> URL {
    switch self {
    case .folder(let url), .gguf(let url): return url
    case .embedded:
      do { return try ApusStories.modelDirectory() } catch { throw .embeddedModel(error) }
    }
  }
}
