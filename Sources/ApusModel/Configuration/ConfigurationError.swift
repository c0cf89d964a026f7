public import ApusCheckpoint

/// Why a model's configuration was refused. Every case names file, field and value.
public enum ConfigurationError: Error, Sendable, Equatable {
  /// The file itself is missing, malformed, or a field has the wrong type or range.
  case file(CheckpointError)
  /// An architecture this engine does not run.
  case unsupportedArchitecture(path: String, found: String)
  /// A setting this engine does not run, in an architecture it does.
  case unsupported(path: String, field: String, found: String, supported: String)
  /// Two fields that do not go together.
  case contradiction(path: String, field: String, found: String, other: String)
}

extension ConfigurationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .unsupportedArchitecture(let path, let found):
      "\(path): architecture \(found) is not supported; supported are "
        + ModelArchitecture.allCases.map(\.rawValue).joined(separator: ", ")
    case .unsupported(let path, let field, let found, let supported):
      "\(path): \(field) \(found) is not supported; supported is \(supported)"
    case .contradiction(let path, let field, let found, let other):
      "\(path): field \(field) is \(found), which contradicts \(other)"
    }
  }
}

/// Why the tensors of a checkpoint do not make the model its configuration describes.
public enum ModelTensorError: Error, Sendable, Equatable {
  case missing(path: String, tensor: String, expectedShape: [Int])
  case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
  case unusableDType(path: String, tensor: String, found: TensorDType)
  case wrongDType(path: String, tensor: String, found: TensorDType, expected: TensorDType)
  /// A tensor the configuration has no use for: the model would be run without it, and so wrongly.
  case unexpected(path: String, tensor: String)
  /// An output projection of its own, where the configuration ties it to the embedding.
  case contradictsTie(path: String, tensor: String)
}

extension ModelTensorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path, let tensor, let shape):
      "\(path): tensor \(tensor) is missing; the configuration expects it with shape \(shape)"
    case .wrongShape(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has shape \(found); the configuration expects \(expected)"
    case .unusableDType(let path, let tensor, let found):
      "\(path): tensor \(tensor) has dtype \(found.rawValue); weights must be F32, F16 or BF16"
    case .wrongDType(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has dtype \(found.rawValue); expected \(expected.rawValue)"
    case .unexpected(let path, let tensor):
      "\(path): tensor \(quoted(tensor)) is not part of the model that its configuration describes"
    case .contradictsTie(let path, let tensor):
      "\(path): tensor \(tensor) differs from model.embed_tokens, to which tie_word_embeddings ties it"
    }
  }
}
