/// Reads the metadata of a GGUF file.
struct GGUFMetadataReader {
  private(set) var cursor: GGUFCursor
  private var key = ""
  /// The positions, from the outside in, of the array element that is being read.
  private var indexes: [Int] = []
  private var valueCount = 0

  /// Arrays in arrays: the recursion's bound. No writer is known to need more than one.
  static let depthMax = 4

  init(_ cursor: GGUFCursor) { self.cursor = cursor }

  /// What errors call the value that is being read: `key[3][0]`.
  private var place: String { key + indexes.map { "[\($0)]" }.joined() }

  mutating func metadata(_ count: Int) throws(CheckpointError) -> GGUFMetadata {
    var metadata = GGUFMetadata(path: cursor.path)
    // The shortest pair: a key of one byte, a type and a byte.
    try cursor.require(UInt64(count), of: 14) { "the metadata" }
    for position in 0..<count {
      key = try cursor.string(byteCountMax: GGUFHeader.keyByteCountMax) { "metadata key \(position)" }
      guard !key.isEmpty else {
        throw .invalidField(
          path: cursor.path, field: "metadata key \(position)", found: "an empty string", expected: "a key")
      }
      let value = try value(of: try type())
      guard metadata.append(key, value) else {
        throw .invalidField(
          path: cursor.path, field: key, found: "the key a second time", expected: "each key once")
      }
    }
    return metadata
  }

  private mutating func type() throws(CheckpointError) -> GGUFValueType {
    let number = try cursor.integer(UInt32.self) { [place] in "the type of \(place)" }
    guard let type = GGUFValueType(rawValue: number) else {
      throw .invalidField(
        path: cursor.path, field: "the type of \(place)", found: "\(number)",
        expected: "a type from 0 to \(GGUFValueType.float64.rawValue)")
    }
    return type
  }

  private mutating func value(of type: GGUFValueType) throws(CheckpointError) -> GGUFValue {
    let field = { [key, indexes] in key + indexes.map { "[\($0)]" }.joined() }
    switch type {
    case .uint8: return .unsigned(UInt64(try cursor.integer(UInt8.self, field)))
    case .uint16: return .unsigned(UInt64(try cursor.integer(UInt16.self, field)))
    case .uint32: return .unsigned(UInt64(try cursor.integer(UInt32.self, field)))
    case .uint64: return .unsigned(try cursor.integer(UInt64.self, field))
    case .int8: return .signed(Int64(try cursor.integer(Int8.self, field)))
    case .int16: return .signed(Int64(try cursor.integer(Int16.self, field)))
    case .int32: return .signed(Int64(try cursor.integer(Int32.self, field)))
    case .int64: return .signed(try cursor.integer(Int64.self, field))
    case .float32: return .float(Float(bitPattern: try cursor.integer(UInt32.self, field)))
    case .float64: return .double(Double(bitPattern: try cursor.integer(UInt64.self, field)))
    case .string: return .string(try cursor.string(byteCountMax: GGUFHeader.byteCountMax, field))
    case .array: return .array(try array())
    case .bool:
      let byte = try cursor.integer(UInt8.self, field)
      guard byte <= 1 else {
        throw .invalidField(path: cursor.path, field: field(), found: "\(byte)", expected: "a bool, 0 or 1")
      }
      return .boolean(byte == 1)
    }
  }

  /// An array: the type of its elements, their number in 64 bits, then the elements.
  private mutating func array() throws(CheckpointError) -> [GGUFValue] {
    guard indexes.count < Self.depthMax else {
      throw .invalidField(
        path: cursor.path, field: place, found: "an array", expected: "at most \(Self.depthMax) nested arrays"
      )
    }
    let type = try type()
    let count = try cursor.integer(UInt64.self) { [place] in "the length of \(place)" }
    let countMax = GGUFHeader.valueCountMax - valueCount
    guard count <= UInt64(countMax) else {
      throw .invalidField(
        path: cursor.path, field: place, found: "an array of \(count)",
        expected: "at most \(GGUFHeader.valueCountMax) values in all, \(countMax) of them here")
    }
    try cursor.require(count, of: type.byteCountMin) { [place] in place }
    valueCount += Int(count)
    var values: [GGUFValue] = []
    values.reserveCapacity(Int(count))
    indexes.append(0)
    for index in 0..<Int(count) {
      indexes[indexes.count - 1] = index
      values.append(try value(of: type))
    }
    indexes.removeLast()
    return values
  }
}
