/// The header of a safetensors file, every rule of the format checked.
///
/// The format: eight bytes, the header's length as a little-endian unsigned integer; the header, a JSON
/// object in UTF-8 that begins with `{`; then one byte buffer. The header maps tensor names to
/// `{"dtype", "shape", "data_offsets": [begin, end]}`, offsets counting from the start of the buffer, and
/// `__metadata__` to an object of strings. Tensors fill the buffer without hole or overlap.
/// Source: https://huggingface.co/docs/safetensors, "Format".
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let dtype: TensorDType
    let shape: [Int]
    /// Where in the file, in bytes.
    let range: Range<Int>
  }

  /// The limit of the reference implementation.
  static let byteCountMax = 100_000_000
  static let rankMax = 8
  private static let lengthByteCount = 8

  /// In the order of the buffer.
  let entries: [Entry]
  let metadata: [String: String]

  init(_ file: UnsafeRawBufferPointer, path: String) throws(CheckpointError) {
    let headerRange = try SafetensorsHeader.headerRange(file, path: path)
    let header = try JSONObject(parsing: UnsafeRawBufferPointer(rebasing: file[headerRange]), file: path)
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    entries.reserveCapacity(header.members.count)
    for position in 0..<header.members.count {
      let name = header.members[position].key
      if name == "__metadata__" {
        metadata = try SafetensorsHeader.metadata(header.object(name))
      } else {
        let reader = EntryReader(path: path, tensor: name, buffer: headerRange.upperBound..<file.count)
        entries.append(try reader.entry(header.members[position].value))
      }
    }
    // A tensor without elements sits between its neighbours: sort it before the one that begins there.
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try SafetensorsHeader.requireContiguous(entries, buffer: headerRange.upperBound..<file.count, path: path)
    self.entries = entries
    self.metadata = metadata
  }

  private static func headerRange(
    _ file: UnsafeRawBufferPointer, path: String
  ) throws(CheckpointError) -> Range<Int> {
    guard file.count >= lengthByteCount else {
      throw .truncated(path: path, byteCount: file.count, expected: "at least \(lengthByteCount)")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(byteCountMax) else {
      throw .invalidField(
        path: path, field: "header length", found: "\(length)", expected: "at most \(byteCountMax)")
    }
    let end = lengthByteCount + Int(length)
    guard end <= file.count else {
      throw .truncated(path: path, byteCount: file.count, expected: "\(end) for the header alone")
    }
    guard length > 0, file[lengthByteCount] == UInt8(ascii: "{") else {
      throw .invalidField(
        path: path, field: "header", found: length == 0 ? "nothing" : "byte \(file[lengthByteCount])",
        expected: "a JSON object that begins with {")
    }
    return lengthByteCount..<end
  }

  private static func metadata(_ object: JSONObject) throws(CheckpointError) -> [String: String] {
    var metadata: [String: String] = [:]
    for key in object.members.keys { metadata[key] = try object.string(key) }
    return metadata
  }

  private static func requireContiguous(
    _ entries: [Entry], buffer: Range<Int>, path: String
  ) throws(CheckpointError) {
    var end = buffer.lowerBound
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw .invalidTensor(
          path: path, tensor: entry.name,
          found: "data_offsets beginning at \(entry.range.lowerBound - buffer.lowerBound)",
          expected: "\(end - buffer.lowerBound), where the tensor before it ends")
      }
      end = entry.range.upperBound
    }
    guard end == buffer.upperBound else {
      throw .invalidField(
        path: path, field: "data", found: "\(buffer.count) bytes",
        expected: "\(end - buffer.lowerBound), where the last tensor ends")
    }
  }
}

/// Reads one tensor's entry of a header.
private struct EntryReader {
  let path: String
  let tensor: String
  /// Where in the file the data lies, in bytes.
  let buffer: Range<Int>

  func entry(_ value: JSONValue) throws(CheckpointError) -> SafetensorsHeader.Entry {
    guard !tensor.isEmpty else { throw invalid("an empty name", expected: "a name") }
    guard case .object(let members) = value else {
      throw invalid(value.summary, expected: "an object of dtype, shape and data_offsets")
    }
    for key in members.keys where !["dtype", "shape", "data_offsets"].contains(key) {
      throw invalid("the field \(quoted(key))", expected: "dtype, shape and data_offsets only")
    }
    let dtype = try self.dtype(members["dtype"])
    let shape = try self.shape(members["shape"])
    let range = try self.range(members["data_offsets"])
    guard let byteCount = EntryReader.byteCount(shape, dtype) else {
      throw invalid(
        "shape \(shape) of \(dtype.rawValue)", expected: "a size in whole bytes that fits 64 bits")
    }
    guard byteCount == range.count else {
      throw invalid(
        "data_offsets over \(range.count) bytes",
        expected: "\(byteCount) for shape \(shape) of \(dtype.rawValue)")
    }
    return .init(name: tensor, dtype: dtype, shape: shape, range: range)
  }

  private func invalid(_ found: String, expected: String) -> CheckpointError {
    .invalidTensor(path: path, tensor: tensor, found: found, expected: expected)
  }

  private func dtype(_ value: JSONValue?) throws(CheckpointError) -> TensorDType {
    guard case .string(let name)? = value, let dtype = TensorDType(rawValue: name) else {
      throw invalid("dtype \(value?.summary ?? "missing")", expected: "a dtype of the format, such as F32")
    }
    return dtype
  }

  private func shape(_ value: JSONValue?) throws(CheckpointError) -> [Int] {
    guard case .array(let values)? = value, let shape = EntryReader.sizes(values) else {
      throw invalid("shape \(value?.summary ?? "missing")", expected: "an array of sizes of at least 0")
    }
    guard shape.count <= SafetensorsHeader.rankMax else {
      throw invalid("\(shape.count) axes", expected: "at most \(SafetensorsHeader.rankMax)")
    }
    return shape
  }

  private func range(_ value: JSONValue?) throws(CheckpointError) -> Range<Int> {
    guard case .array(let values)? = value, let offsets = EntryReader.sizes(values), offsets.count == 2
    else {
      throw invalid("data_offsets \(value?.summary ?? "missing")", expected: "[begin, end], both at least 0")
    }
    guard offsets[0] <= offsets[1], offsets[1] <= buffer.count else {
      throw invalid(
        "data_offsets \(offsets)", expected: "begin <= end <= \(buffer.count), the bytes of data in the file")
    }
    return buffer.lowerBound + offsets[0]..<buffer.lowerBound + offsets[1]
  }

  private static func sizes(_ values: [JSONValue]) -> [Int]? {
    var sizes: [Int] = []
    for value in values {
      guard case .integer(let size) = value, size >= 0 else { return nil }
      sizes.append(size)
    }
    return sizes
  }

  /// Bytes of a tensor; nil where the product overflows or ends inside a byte.
  private static func byteCount(_ shape: [Int], _ dtype: TensorDType) -> Int? {
    var bitCount = dtype.bitCount
    for size in shape {
      let (product, overflow) = bitCount.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      bitCount = product
    }
    return bitCount % 8 == 0 ? bitCount / 8 : nil
  }
}
