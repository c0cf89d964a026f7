public import ApusCheckpoint
public import ApusKernels

/// Why a model could not be loaded.
public enum ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  case checkpoint(CheckpointError)
  case configuration(ConfigurationError)
  case tensors(ModelTensorError)
  /// A weight is infinite or NaN, or would be in the type it was to be held in.
  case notFinite(path: String, tensor: String, row: Int, column: Int, heldAs: PanelType)
  /// The scale of a weight's group cannot be held without loss.
  case inexactScale(path: String, tensor: String, row: Int, column: Int)
  /// The file holds weights that are packed already, in another type than is asked for.
  case packedOtherwise(path: String, module: String, found: PanelType, asked: WeightType)
  case kernels(KernelError)
  /// A session asks for more than the model or the machine has.
  case session(field: String, found: Int, expected: String)

  public var description: String {
    switch self {
    case .checkpoint(let error): error.description
    case .configuration(let error): error.description
    case .tensors(let error): error.description
    case .notFinite(let path, let tensor, let row, let column, let type):
      "\(path): tensor \(tensor): element [\(row), \(column)] is not finite as \(type.rawValue)"
    case .inexactScale(let path, let tensor, let row, let column):
      "\(path): tensor \(tensor): the group of element [\(row), \(column)] has a scale or minimum 2^29 times "
        + "smaller than another's nearby; expected numbers that a binary16 can hold beside each other"
    case .packedOtherwise(let path, let module, let found, let asked):
      "\(path): \(module) is packed as \(found.rawValue), which is not converted to \(asked.rawValue); "
        + "expected the type it is packed as, or none"
    case .kernels(let error): error.description
    case .session(let field, let found, let expected): "\(field) is \(found); expected \(expected)"
    }
  }
}
