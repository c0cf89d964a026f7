/// Why a file of a checkpoint was refused. Every case names the file; `description` is one line.
public enum CheckpointError: Error, Sendable, Equatable {
  case notFound(path: String, expected: String)
  case unreadable(path: String, reason: String)
  case notRegularFile(path: String)
  case tooLarge(path: String, byteCount: Int, limit: Int)
  /// The file ends before what its own header announces.
  case truncated(path: String, byteCount: Int, expected: String)
  /// The file's length on disk is no longer the one that was validated.
  case changed(path: String, byteCount: Int, expected: Int)
  case malformedJSON(path: String, JSONError)
  case missingField(path: String, field: String, expected: String)
  case invalidField(path: String, field: String, found: String, expected: String)
  /// A tensor's entry in a safetensors header breaks the format's rules.
  case invalidTensor(path: String, tensor: String, found: String, expected: String)
  /// The weight map of an index names a tensor that the shard does not hold.
  case missingFromShard(path: String, tensor: String, shard: String)
  /// A shard holds a tensor that the index gives to another shard, or to none.
  case notInIndex(path: String, tensor: String)
  /// A tensor value is NaN or infinite. `index` counts elements.
  case nonFinite(path: String, tensor: String, index: Int)
}

extension CheckpointError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let path, let expected): "\(path): not found; expected \(expected)"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .notRegularFile(let path): "\(path): not a regular file"
    case .tooLarge(let path, let byteCount, let limit):
      "\(path): \(byteCount) bytes, more than the limit of \(limit)"
    case .truncated(let path, let byteCount, let expected):
      "\(path): truncated: \(byteCount) bytes where \(expected) were expected"
    case .changed(let path, let byteCount, let expected):
      "\(path): the file changed while in use: \(byteCount) bytes, \(expected) when it was opened"
    case .malformedJSON(let path, let error): "\(path): malformed JSON: \(error)"
    case .missingField(let path, let field, let expected):
      "\(path): field \(field) is missing; expected \(expected)"
    case .invalidField(let path, let field, let found, let expected):
      "\(path): field \(field) is \(found); expected \(expected)"
    case .invalidTensor(let path, let tensor, let found, let expected):
      "\(path): tensor \(quoted(tensor)) has \(found); expected \(expected)"
    case .missingFromShard(let path, let tensor, let shard):
      "\(path): tensor \(quoted(tensor)) is not in its shard \(quoted(shard))"
    case .notInIndex(let path, let tensor):
      "\(path): tensor \(quoted(tensor)) is not given to this shard by the index"
    case .nonFinite(let path, let tensor, let index):
      "\(path): tensor \(quoted(tensor)) is not finite at element \(index)"
    }
  }
}
