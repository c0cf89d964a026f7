public import Foundation

/// A GGUF file mapped into memory: metadata, and tensors that point into the mapping.
///
/// Opening validates everything the file says about itself; no weight is read. The file stays mapped while the
/// value or one of its tensors lives.
public final class GGUFFile: Sendable {
  /// The file, as errors name it.
  public let path: String
  /// 2 or 3.
  public let version: Int
  /// Bytes: the offset of every tensor's data is a multiple of it.
  public let alignment: Int
  public let metadata: GGUFMetadata
  /// All tensors, in the order of the file.
  public let tensors: [GGUFTensor]

  private let positions: [ExactString: Int]
  private let file: MappedFile

  /// - Throws: `CheckpointError` naming the file, the field or tensor, what was found and what was expected.
  public init(_ url: URL) throws(CheckpointError) {
    let file = try MappedFile(path: url.path)
    let header = try GGUFHeader(file.bytes, path: file.path)
    path = file.path
    version = header.version
    alignment = header.alignment
    metadata = header.metadata
    tensors = header.entries.map { GGUFTensor($0, file: file) }
    var positions: [ExactString: Int] = [:]
    for (position, tensor) in tensors.enumerated() { positions[ExactString(tensor.name)] = position }
    self.positions = positions
    self.file = file
  }

  /// The tensor of that name, or nil. Names are compared byte by byte.
  public subscript(name: String) -> GGUFTensor? { positions[ExactString(name)].map { tensors[$0] } }

  /// Bytes of all tensors together.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// Throws `.changed` when the file's length on disk is no longer the one that was validated; see
  /// `Checkpoint.requireUnchanged`.
  public func requireUnchanged() throws(CheckpointError) { try file.requireUnchanged() }
}

/// One tensor of an open GGUF file: its description, and its bytes in the mapped file.
///
/// The value keeps the mapping alive.
public struct GGUFTensor: Sendable {
  public let name: String
  public let type: GGUFTensorType
  /// Sizes of the axes, outermost first; row-major, the last axis contiguous and in whole blocks. The file
  /// lists them the other way round.
  public let shape: [Int]
  private let file: MappedFile
  private let range: Range<Int>

  init(_ entry: GGUFHeader.Entry, file: MappedFile) {
    name = entry.name
    type = entry.type
    shape = entry.shape
    range = entry.range
    self.file = file
  }

  /// The file that holds the tensor.
  public var path: String { file.path }

  /// Tells the system that the tensor's bytes are not needed in memory for now. They stay readable.
  public func releasePages() { file.release(range) }

  /// Product of the shape.
  public var elementCount: Int { byteCount / type.blockByteCount * type.blockElementCount }

  public var byteCount: Int { range.count }

  /// Runs `body` on the tensor's blocks, row-major. The pointer must not outlive `body`; what
  /// `CheckpointTensor.withUnsafeBytes` says of alignment and of shortened files holds here.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(file) {} }
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
  }
}
