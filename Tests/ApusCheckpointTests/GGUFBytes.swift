/// The bytes of a GGUF file, right or wrong as a test wants them.
struct GGUFBytes {
  /// One metadata pair: the value's type as the format numbers it, and its bytes.
  struct Pair {
    var key: String
    var type: UInt32
    var value: [UInt8]

    static func uint32(_ key: String, _ value: UInt32) -> Pair {
      Pair(key: key, type: 4, value: GGUFBytes.little(value))
    }

    static func string(_ key: String, _ value: String) -> Pair {
      Pair(key: key, type: 8, value: GGUFBytes.string(value))
    }

    static func array(_ key: String, of type: UInt32, count: UInt64, _ elements: [UInt8]) -> Pair {
      Pair(key: key, type: 9, value: GGUFBytes.little(type) + GGUFBytes.little(count) + elements)
    }
  }

  /// One tensor; sizes in the file's order, contiguous axis first.
  struct Tensor {
    var name = "w"
    var sizes: [UInt64] = [3, 2]
    var type: UInt32 = 0
    var offset: UInt64 = 0
    /// What the file says the number of sizes is, where it is to say something else.
    var rank: UInt32?
  }

  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  /// What the file says its counts are, where it is to say something else.
  var tensorCount: UInt64?
  var pairCount: UInt64?
  var pairs: [Pair] = []
  var tensors: [Tensor] = []
  var alignment = 32
  var dataByteCount = 0

  static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

  /// Header, padding and data that counts up from 0.
  var bytes: [UInt8] {
    var bytes = magic + Self.little(version)
    bytes += Self.little(tensorCount ?? UInt64(tensors.count))
    bytes += Self.little(pairCount ?? UInt64(pairs.count))
    for pair in pairs { bytes += Self.string(pair.key) + Self.little(pair.type) + pair.value }
    for tensor in tensors {
      bytes += Self.string(tensor.name) + Self.little(tensor.rank ?? UInt32(tensor.sizes.count))
      bytes += tensor.sizes.flatMap { Self.little($0) }
      bytes += Self.little(tensor.type) + Self.little(tensor.offset)
    }
    if dataByteCount > 0 {
      bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
      bytes += (0..<dataByteCount).map { UInt8(truncatingIfNeeded: $0) }
    }
    return bytes
  }
}
