/// Reading and writing scalars in UTF-8 that is known to be valid.
@inline(__always)
func decodeScalar(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> (scalar: UInt32, length: Int) {
  let first = UInt32(text[position])
  if first < 0x80 { return (first, 1) }
  let second = UInt32(text[position + 1]) & 0x3F
  if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
  let third = UInt32(text[position + 2]) & 0x3F
  if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
  return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(text[position + 3]) & 0x3F, 4)
}

/// The start of the scalar that ends before `position`, which is not 0.
@inline(__always)
func scalarStart(before position: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int {
  var start = position - 1
  while text[start] & 0xC0 == 0x80 { start -= 1 }
  return start
}

extension [UInt8] {
  mutating func append(scalar: UInt32) {
    switch scalar {
    case 0..<0x80:
      append(UInt8(scalar))
    case 0x80..<0x800:
      append(UInt8(0xC0 | scalar >> 6))
      append(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      append(UInt8(0xE0 | scalar >> 12))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    default:
      append(UInt8(0xF0 | scalar >> 18))
      append(UInt8(0x80 | scalar >> 12 & 0x3F))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    }
  }

  /// The scalars of valid UTF-8.
  var scalars: [UInt32] {
    withUnsafeBufferPointer { text in
      var result: [UInt32] = []
      var position = 0
      while position < text.count {
        let (scalar, length) = decodeScalar(text, position)
        result.append(scalar)
        position += length
      }
      return result
    }
  }

  init(scalars: some Sequence<UInt32>) {
    self = []
    for scalar in scalars { append(scalar: scalar) }
  }

  /// For messages.
  var text: String { String(decoding: self, as: UTF8.self) }
}
