/// The bytes of a GGUF file, right or wrong as a test wants them.
public struct GGUFBytes {
  /// One metadata pair: the value's type as the format numbers it, and its bytes.
  public struct Pair {
    public var key: String
    public var type: UInt32
    public var value: [UInt8]

    public init(key: String, type: UInt32, value: [UInt8]) {
      self.key = key
      self.type = type
      self.value = value
    }

    public static func uint32(_ key: String, _ value: UInt32) -> Pair {
      Pair(key: key, type: 4, value: GGUFBytes.little(value))
    }

    public static func string(_ key: String, _ value: String) -> Pair {
      Pair(key: key, type: 8, value: GGUFBytes.string(value))
    }

    public static func array(_ key: String, of type: UInt32, count: UInt64, _ elements: [UInt8]) -> Pair {
      Pair(key: key, type: 9, value: GGUFBytes.little(type) + GGUFBytes.little(count) + elements)
    }
  }

  /// One tensor; sizes in the file's order, contiguous axis first.
  public struct Tensor {
    public var name: String
    public var sizes: [UInt64]
    public var type: UInt32
    public var offset: UInt64
    /// What the file says the number of sizes is, where it is to say something else.
    public var rank: UInt32?

    public init(
      name: String = "w", sizes: [UInt64] = [3, 2], type: UInt32 = 0, offset: UInt64 = 0, rank: UInt32? = nil
    ) {
      self.name = name
      self.sizes = sizes
      self.type = type
      self.offset = offset
      self.rank = rank
    }
  }

  public var magic: [UInt8]
  public var version: UInt32
  /// What the file says its counts are, where it is to say something else.
  public var tensorCount: UInt64?
  public var pairCount: UInt64?
  public var pairs: [Pair]
  public var tensors: [Tensor]
  public var alignment: Int
  public var dataByteCount: Int

  public init(
    magic: [UInt8] = Array("GGUF".utf8), version: UInt32 = 3, tensorCount: UInt64? = nil,
    pairCount: UInt64? = nil, pairs: [Pair] = [], tensors: [Tensor] = [], alignment: Int = 32,
    dataByteCount: Int = 0
  ) {
    self.magic = magic
    self.version = version
    self.tensorCount = tensorCount
    self.pairCount = pairCount
    self.pairs = pairs
    self.tensors = tensors
    self.alignment = alignment
    self.dataByteCount = dataByteCount
  }

  public static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  public static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

  /// Header, padding and data that counts up from 0.
  public var bytes: [UInt8] {
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

extension GGUFBytes {
  /// One to four random edits. Half fall on whole words, as counts, lengths and offsets are.
  public static func damaged(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    let words: [UInt64] = [
      0, 1, 2, 9, 31, 33, 64, 0xFFFF, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 31,
    ]
    var damaged = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where damaged.count > 8 {
      let place = Int.random(in: 0..<damaged.count - 8, using: &random)
      switch Int.random(in: 0..<9, using: &random) {
      case 0, 1: damaged[place] = UInt8.random(in: 0...255, using: &random)
      case 2: damaged[place] &+= random.next() & 1 == 0 ? 1 : 255
      case 3: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 4:
        damaged.replaceSubrange(
          place..<place + 8, with: GGUFBytes.little(words.randomElement(using: &random)!))
      case 5:
        let word = UInt32(truncatingIfNeeded: words.randomElement(using: &random)!)
        damaged.replaceSubrange(place..<place + 4, with: GGUFBytes.little(word))
      case 6: damaged.remove(at: place)
      case 7: damaged.removeSubrange(place...)
      default: damaged.insert(UInt8.random(in: 0...255, using: &random), at: place)
      }
    }
    return damaged
  }
}
