/// The next stretch of some bytes, read as UTF-8.
enum UTF8Stretch: Equatable {
  /// Valid up to the end.
  case valid
  /// Valid up to `at`, then `length` bytes that begin a character and can begin no valid one: one U+FFFD
  /// each.
  case invalid(at: Int, length: Int)
  /// Valid up to `at`, then a character whose end is still missing.
  case incomplete(at: Int)

  /// Reads from `start` to the first fault. Unicode Standard, section 3.9: substitution of maximal subparts.
  init(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) {
    var position = start
    while position < bytes.count {
      let lead = bytes[position]
      if lead < 0x80 {
        position += 1
        continue
      }
      let length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
      guard length > 0 else {
        self = .invalid(at: position, length: 1)
        return
      }
      for offset in 1..<length {
        guard position + offset < bytes.count else {
          self = .incomplete(at: position)
          return
        }
        let low: UInt8 = offset > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = offset > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
        guard low...high ~= bytes[position + offset] else {
          self = .invalid(at: position, length: offset)
          return
        }
      }
      position += length
    }
    self = .valid
  }
}

/// Puts characters together from bytes that arrive in parts; what is no UTF-8 becomes U+FFFD.
struct UTF8Assembler: Sendable {
  static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  /// At most three bytes between calls: a character that has begun.
  private var pending: [UInt8] = []

  mutating func append(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
    pending.append(contentsOf: bytes)
    var position = 0
    scan: while true {
      switch pending.withUnsafeBufferPointer({ UTF8Stretch($0, from: position) }) {
      case .valid:
        text.append(contentsOf: pending[position...])
        position = pending.count
        break scan
      case .incomplete(let at):
        text.append(contentsOf: pending[position..<at])
        position = at
        break scan
      case .invalid(let at, let length):
        text.append(contentsOf: pending[position..<at])
        text.append(contentsOf: Self.replacement)
        position = at + length
      }
    }
    pending.removeSubrange(..<position)
  }

  mutating func finish(to text: inout [UInt8]) {
    if !pending.isEmpty { text.append(contentsOf: Self.replacement) }
    pending = []
  }
}
