public import Foundation

/// The weights of a model on disk: one safetensors file, or shards under an index, mapped into memory.
///
/// Opening validates everything the files say about themselves; no weight is read. Tensors point into the
/// mapped files, which stay mapped while the checkpoint or one of its tensors lives.
public final class Checkpoint: Sendable {
  /// The folder of the files.
  public let directory: URL
  /// All tensors, sorted by the bytes of their names.
  public let tensors: [CheckpointTensor]
  /// `__metadata__` of each file, in the order of the files' names.
  public let metadata: [[String: String]]

  private let positions: [ExactString: Int]
  private let files: [MappedFile]

  /// The tensor of that name, or nil. Names are compared byte by byte.
  public subscript(name: String) -> CheckpointTensor? {
    positions[ExactString(name)].map { tensors[$0] }
  }

  /// Bytes of all tensors together.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// Opens `url`: a `.safetensors` file, or a folder that holds `model.safetensors` or, failing that,
  /// `model.safetensors.index.json` and the shards it names (the order Hugging Face transformers looks in).
  public static func open(_ url: URL) throws(CheckpointError) -> Checkpoint {
    guard try isDirectory(url) else {
      return try Checkpoint(directory: url.deletingLastPathComponent(), files: [MappedFile(path: url.path)])
    }
    let single = url.appending(path: "model.safetensors")
    if FileManager.default.fileExists(atPath: single.path) {
      return try Checkpoint(directory: url, files: [MappedFile(path: single.path)])
    }
    let index = url.appending(path: "model.safetensors.index.json")
    guard FileManager.default.fileExists(atPath: index.path) else {
      throw .notFound(path: url.path, expected: "model.safetensors or model.safetensors.index.json in it")
    }
    return try open(shardsOf: ShardIndex(index), directory: url)
  }

  private static func open(shardsOf index: ShardIndex, directory: URL) throws(CheckpointError) -> Checkpoint {
    var files: [MappedFile] = []
    for shard in index.shards { files.append(try MappedFile(path: directory.appending(path: shard).path)) }
    let checkpoint = try Checkpoint(directory: directory, files: files, index: index)
    for name in index.tensorNames where checkpoint[name] == nil {
      throw .missingFromShard(path: index.path, tensor: name, shard: index.shard(of: name) ?? "")
    }
    return checkpoint
  }

  private static func isDirectory(_ url: URL) throws(CheckpointError) -> Bool {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
      throw .notFound(path: url.path, expected: "a folder with a model, or a .safetensors file")
    }
    return isDirectory.boolValue
  }

  private init(directory: URL, files: [MappedFile], index: ShardIndex? = nil) throws(CheckpointError) {
    var tensors: [CheckpointTensor] = []
    var metadata: [[String: String]] = []
    for file in files {
      let header = try SafetensorsHeader(file.bytes, path: file.path)
      metadata.append(header.metadata)
      let shard = URL(filePath: file.path).lastPathComponent
      for entry in header.entries {
        // One shard per name in the index: a tensor in two shards is refused in one of them.
        guard index == nil || index?.shard(of: entry.name) == shard else {
          throw .notInIndex(path: file.path, tensor: entry.name)
        }
        tensors.append(CheckpointTensor(entry, file: file))
      }
    }
    tensors.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var positions: [ExactString: Int] = [:]
    for (position, tensor) in tensors.enumerated() { positions[ExactString(tensor.name)] = position }
    self.directory = directory
    self.tensors = tensors
    self.metadata = metadata
    self.positions = positions
    self.files = files
  }

  /// Throws `.changed` when a file's length on disk is no longer the one that was validated.
  ///
  /// Reading mapped bytes that a shortened file no longer has ends the process. A loader calls this before
  /// it reads and after it has copied; there is no way to close the window between entirely.
  public func requireUnchanged() throws(CheckpointError) {
    for file in files { try file.requireUnchanged() }
  }
}
