/// Reads the little-endian values of a GGUF file one after the other, never beyond `end`.
///
/// Names in errors are closures: they are put together only when a file is refused.
struct GGUFCursor {
  let bytes: UnsafeRawBufferPointer
  let path: String
  private(set) var offset = 0
  /// Where the header must end: the file's own end, or the most bytes a header may have.
  let end: Int

  init(_ bytes: UnsafeRawBufferPointer, path: String, byteCountMax: Int) {
    self.bytes = bytes
    self.path = path
    end = min(bytes.count, byteCountMax)
  }

  /// Bytes left to read.
  var remaining: Int { end - offset }

  /// Throws unless `count` values of at least `byteCount` bytes each can follow.
  func require(
    _ count: UInt64, of byteCount: Int, _ field: () -> String
  ) throws(CheckpointError) {
    guard count > UInt64(remaining / byteCount) else { return }
    // A file longer than a header may be is not short of bytes.
    guard end == bytes.count else {
      throw .invalidField(
        path: path, field: field(), found: "\(count) at byte \(offset)",
        expected: "a header of at most \(end) bytes")
    }
    throw .truncated(
      path: path, byteCount: bytes.count,
      expected: "\(count) times \(byteCount) after byte \(offset), for \(field()),")
  }

  mutating func integer<Integer: FixedWidthInteger>(
    _ type: Integer.Type = Integer.self, _ field: () -> String
  ) throws(CheckpointError) -> Integer {
    let byteCount = MemoryLayout<Integer>.size
    try require(1, of: byteCount, field)
    defer { offset += byteCount }
    return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
  }

  /// A string: its length in 64 bits, then UTF-8 without a terminator.
  mutating func string(
    byteCountMax: Int, _ field: () -> String
  ) throws(CheckpointError) -> String {
    let byteCount = try integer(UInt64.self) { "the length of \(field())" }
    guard byteCount <= UInt64(byteCountMax) else {
      throw .invalidField(
        path: path, field: field(), found: "a string of \(byteCount) bytes",
        expected: "at most \(byteCountMax)")
    }
    try require(byteCount, of: 1, field)
    let range = offset..<offset + Int(byteCount)
    guard let string = String(validating: bytes[range], as: UTF8.self) else {
      throw .invalidField(
        path: path, field: field(), found: "a string at byte \(offset) that is not UTF-8", expected: "UTF-8")
    }
    offset = range.upperBound
    return string
  }
}
