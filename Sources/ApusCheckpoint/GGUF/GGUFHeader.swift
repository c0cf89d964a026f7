/// The header of a GGUF file, every rule of the format checked.
///
/// The format: `GGUF`, a version, the numbers of tensors and of metadata pairs; the pairs; for each tensor its
/// name, sizes (contiguous axis first), type and the offset of its data; then, from the next multiple of
/// `general.alignment` on, the data. All numbers little-endian. Versions 2 and 3 differ only in that a file of
/// version 3 may be big-endian, which is refused; version 1 had 32-bit lengths.
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
struct GGUFHeader {
  struct Entry {
    let name: String
    let type: GGUFTensorType
    /// Outermost axis first: the file's order reversed.
    let shape: [Int]
    /// Where in the file, in bytes.
    let range: Range<Int>
  }

  /// Far beyond the largest vocabularies, and little enough to be read into memory.
  static let byteCountMax = 1 << 27
  static let pairCountMax = 1 << 16
  /// Metadata values in all, elements of arrays included.
  static let valueCountMax = 1 << 22
  static let tensorCountMax = 1 << 16
  /// The format's limits.
  static let keyByteCountMax = 65535
  static let nameByteCountMax = 64
  static let rankMax = 4
  static let defaultAlignment = 32
  static let alignmentMax = 1 << 20

  let version: Int
  let alignment: Int
  let metadata: GGUFMetadata
  /// In the order of the file.
  let entries: [Entry]

  init(_ file: UnsafeRawBufferPointer, path: String) throws(CheckpointError) {
    var cursor = GGUFCursor(file, path: path, byteCountMax: Self.byteCountMax)
    version = try Self.version(&cursor)
    let tensorCount = try Self.count(&cursor, "tensor count", max: Self.tensorCountMax)
    let pairCount = try Self.count(&cursor, "metadata count", max: Self.pairCountMax)
    var reader = GGUFMetadataReader(cursor)
    metadata = try reader.metadata(pairCount)
    alignment = try Self.alignment(metadata)
    var tensors = GGUFTensorReader(reader.cursor)
    entries = try tensors.entries(tensorCount, alignment: alignment)
  }

  private static func version(_ cursor: inout GGUFCursor) throws(CheckpointError) -> Int {
    let path = cursor.path
    let magic = try cursor.integer(UInt32.self) { "the magic number" }
    // "GGUF" as a little-endian number.
    guard magic == 0x4655_4747 else {
      throw .invalidField(
        path: path, field: "magic number", found: "0x\(String(magic, radix: 16))", expected: "GGUF")
    }
    let version = try cursor.integer(UInt32.self) { "the version" }
    guard version == 2 || version == 3 else {
      let isBigEndian = version.byteSwapped == 2 || version.byteSwapped == 3
      throw .invalidField(
        path: path, field: "version",
        found: isBigEndian ? "\(version.byteSwapped) in big-endian order" : "\(version)",
        expected: "2 or 3 in little-endian order")
    }
    return Int(version)
  }

  private static func count(
    _ cursor: inout GGUFCursor, _ field: String, max: Int
  ) throws(CheckpointError) -> Int {
    let count = try cursor.integer(UInt64.self) { "the \(field)" }
    guard count <= UInt64(max) else {
      throw .invalidField(path: cursor.path, field: field, found: "\(count)", expected: "at most \(max)")
    }
    return Int(count)
  }

  private static func alignment(_ metadata: GGUFMetadata) throws(CheckpointError) -> Int {
    let key = "general.alignment"
    guard let value = metadata[key] else { return defaultAlignment }
    guard let alignment = value.integer, (8...alignmentMax).contains(alignment),
      alignment.nonzeroBitCount == 1
    else { throw metadata.invalid(key, expected: "a power of two from 8 to \(alignmentMax)") }
    return alignment
  }
}
