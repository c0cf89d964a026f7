/// GPT-2's printable stand-ins for bytes: every byte has one scalar below U+0144.
///
/// Printable Latin-1 bytes stand for themselves; the other 68 take U+0100 and up, in order.
/// Reference: `bytes_to_unicode` of OpenAI's GPT-2 encoder.
struct ByteAlphabet: Sendable {
  static let shared = ByteAlphabet()

  /// By byte.
  let scalars: [UInt32]
  /// By scalar; -1 where the scalar stands for no byte.
  private let bytes: [Int16]

  private init() {
    var scalars: [UInt32] = []
    var bytes = [Int16](repeating: -1, count: 0x144)
    var next: UInt32 = 0x100
    for byte in UInt32(0)...255 {
      let isPrintable = 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte
      let scalar = isPrintable ? byte : next
      if !isPrintable { next += 1 }
      scalars.append(scalar)
      bytes[Int(scalar)] = Int16(byte)
    }
    self.scalars = scalars
    self.bytes = bytes
  }

  func byte(for scalar: UInt32) -> UInt8? {
    guard scalar < bytes.count, bytes[Int(scalar)] >= 0 else { return nil }
    return UInt8(bytes[Int(scalar)])
  }

  /// Every byte of `text` as its stand-in, in UTF-8.
  func spelled(_ text: some Sequence<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    for byte in text { result.append(scalar: scalars[Int(byte)]) }
    return result
  }

  /// Appends the bytes that `token` spells; all of its own bytes, where one of its scalars stands for no
  /// byte.
  func appendBytes(of token: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    let start = bytes.count
    var position = 0
    while position < token.count {
      let (scalar, length) = decodeScalar(token, position)
      guard let byte = byte(for: scalar) else {
        bytes.removeSubrange(start...)
        bytes.append(contentsOf: token)
        return
      }
      bytes.append(byte)
      position += length
    }
  }
}
