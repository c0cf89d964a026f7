/// One tensor of an open checkpoint: its description, and its bytes in the mapped file.
///
/// The value keeps the mapping alive.
public struct CheckpointTensor: Sendable {
  public let name: String
  public let dtype: TensorDType
  /// Sizes of the axes, outermost first; row-major, the last axis contiguous. Empty for a scalar.
  public let shape: [Int]
  private let file: MappedFile
  private let range: Range<Int>

  init(_ entry: SafetensorsHeader.Entry, file: MappedFile) {
    name = entry.name
    dtype = entry.dtype
    shape = entry.shape
    range = entry.range
    self.file = file
  }

  /// The file that holds the tensor.
  public var path: String { file.path }

  /// Tells the system that the tensor's bytes are not needed in memory for now. They stay readable.
  public func releasePages() { file.release(range) }

  /// Product of the shape; 1 for a scalar.
  public var elementCount: Int { byteCount * 8 / dtype.bitCount }

  public var byteCount: Int { range.count }

  /// Runs `body` on the tensor's bytes, little-endian elements in row-major order.
  ///
  /// The format promises no alignment: the first byte may be at an odd address, so elements are read by
  /// `loadUnaligned` or copied first. The pointer must not outlive `body`. A file shortened in place by
  /// another process while its bytes are read ends this process; see `Checkpoint.requireUnchanged`.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(file) {} }
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
  }
}
