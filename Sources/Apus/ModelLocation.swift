public import Foundation

/// Where a model is: the one that comes with the library, or a Hugging Face folder.
public enum ModelLocation: Sendable, Equatable {
  /// The small storyteller inside the package.
  case embedded
  /// A folder with `config.json`, `tokenizer.json` and safetensors.
  case folder(URL)

  /// `embedded`, or the path of a folder.
  public init(_ name: String) {
    self = name == "embedded" ? .embedded : .folder(URL(filePath: name))
  }
}

extension ModelLocation: ExpressibleByStringLiteral {
  public init(stringLiteral name: String) { self.init(name) }
}

extension ModelLocation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .embedded: "embedded"
    case .folder(let url): url.path
    }
  }
}
