/// Reads what a GGUF file says of its tensors.
struct GGUFTensorReader {
  private var cursor: GGUFCursor
  private let path: String

  /// One tensor as announced, before the place of the data is known.
  private struct Announced {
    let name: String
    let type: GGUFTensorType
    let shape: [Int]
    let byteCount: Int
    /// From the start of the data, in bytes.
    let offset: Int
  }

  init(_ cursor: GGUFCursor) {
    self.cursor = cursor
    path = cursor.path
  }

  mutating func entries(_ count: Int, alignment: Int) throws(CheckpointError) -> [GGUFHeader.Entry] {
    // The shortest entry: a name of one byte, one axis, type and offset.
    try cursor.require(UInt64(count), of: 33) { "the tensors" }
    var tensors: [Announced] = []
    var names: Set<ExactString> = []
    for position in 0..<count {
      let tensor = try tensor(position, alignment: alignment)
      guard names.insert(ExactString(tensor.name)).inserted else {
        throw invalid(tensor.name, "the name of another tensor", expected: "each name once")
      }
      tensors.append(tensor)
    }
    guard count > 0 else { return [] }
    let start = (cursor.offset + alignment - 1) / alignment * alignment
    try requireApart(tensors, dataByteCount: max(0, cursor.bytes.count - start))
    return tensors.map { tensor in
      GGUFHeader.Entry(
        name: tensor.name, type: tensor.type, shape: tensor.shape,
        range: start + tensor.offset..<start + tensor.offset + tensor.byteCount)
    }
  }

  private mutating func tensor(_ position: Int, alignment: Int) throws(CheckpointError) -> Announced {
    let name = try cursor.string(byteCountMax: GGUFHeader.nameByteCountMax) {
      "the name of tensor \(position)"
    }
    guard !name.isEmpty else {
      throw invalid(name, "an empty name, at position \(position)", expected: "a name")
    }
    let sizes = try sizes(name)
    let number = try cursor.integer(UInt32.self) { "the type of tensor \(quoted(name))" }
    guard let type = GGUFTensorType(rawValue: number) else {
      let known = GGUFTensorType.allCases.map { "\($0.rawValue) (\($0.name))" }.joined(separator: ", ")
      throw invalid(name, "type \(number)", expected: "one of \(known)")
    }
    guard sizes[0].isMultiple(of: type.blockElementCount) else {
      throw invalid(
        name, "sizes \(sizes) of \(type.name)",
        expected: "the first a multiple of \(type.blockElementCount), the elements of a block")
    }
    guard let byteCount = Self.byteCount(sizes, type) else {
      throw invalid(name, "sizes \(sizes) of \(type.name)", expected: "a size in bytes that fits 64 bits")
    }
    let offset = try cursor.integer(UInt64.self) { "the offset of tensor \(quoted(name))" }
    guard let offset = Int(exactly: offset), offset.isMultiple(of: alignment) else {
      throw invalid(name, "offset \(offset)", expected: "a multiple of the alignment, \(alignment)")
    }
    return Announced(
      name: name, type: type, shape: sizes.reversed(), byteCount: byteCount, offset: offset)
  }

  /// Sizes of the axes in the file's order, contiguous axis first.
  private mutating func sizes(_ name: String) throws(CheckpointError) -> [Int] {
    let rank = try cursor.integer(UInt32.self) { "the axes of tensor \(quoted(name))" }
    guard rank >= 1, rank <= UInt32(GGUFHeader.rankMax) else {
      throw invalid(name, "\(rank) axes", expected: "1 to \(GGUFHeader.rankMax)")
    }
    var sizes: [Int] = []
    for axis in 0..<rank {
      let size = try cursor.integer(UInt64.self) { "size \(axis) of tensor \(quoted(name))" }
      guard let size = Int(exactly: size), size >= 1 else {
        throw invalid(name, "size \(size) of axis \(axis)", expected: "1 to \(Int.max)")
      }
      sizes.append(size)
    }
    return sizes
  }

  /// Bytes of a tensor; nil where a product overflows.
  private static func byteCount(_ sizes: [Int], _ type: GGUFTensorType) -> Int? {
    var byteCount = type.blockByteCount
    for size in [sizes[0] / type.blockElementCount] + sizes.dropFirst() {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      byteCount = product
    }
    // Elements are counted too, and a block may have more of them than bytes.
    let elements = sizes.reduce((1, false)) { partial, size in
      let (product, overflow) = partial.0.multipliedReportingOverflow(by: size)
      return (product, partial.1 || overflow)
    }
    return elements.1 ? nil : byteCount
  }

  /// Every tensor lies inside the data and none inside another; gaps are allowed, as alignment makes them.
  private func requireApart(_ tensors: [Announced], dataByteCount: Int) throws(CheckpointError) {
    var end = 0
    var previous = ""
    for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
      guard tensor.offset <= dataByteCount, tensor.byteCount <= dataByteCount - tensor.offset else {
        throw invalid(
          tensor.name, "\(tensor.byteCount) bytes of data at offset \(tensor.offset)",
          expected: "an end within the \(dataByteCount) bytes of data in the file")
      }
      guard tensor.offset >= end else {
        throw invalid(
          tensor.name, "offset \(tensor.offset)",
          expected: "at least \(end), where tensor \(quoted(previous)) ends")
      }
      end = tensor.offset + tensor.byteCount
      previous = tensor.name
    }
  }

  private func invalid(_ tensor: String, _ found: String, expected: String) -> CheckpointError {
    .invalidTensor(path: path, tensor: tensor, found: found, expected: expected)
  }
}
