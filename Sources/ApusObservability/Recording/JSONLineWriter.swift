import ApusEngine

/// Writes JSON (RFC 8259) into bytes that are kept from line to line, member by member, without a tree between.
///
/// The caller pairs beginnings with ends; commas are the writer's.
struct JSONLineWriter: Sendable {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  init() {}

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  mutating func beginObject() { open("{") }
  mutating func endObject() { close("}") }
  mutating func beginArray() { open("[") }
  mutating func endArray() { close("]") }

  /// What follows is the value of this member.
  mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func string(_ value: String) {
    separate()
    quote(value)
    needsComma = true
  }

  mutating func integer(_ value: some BinaryInteger) { raw("\(value)") }

  mutating func boolean(_ value: Bool) { raw(value ? "true" : "false") }

  mutating func null() { raw("null") }

  /// Exactly, in the fewest digits; null if not finite, which JSON cannot say.
  mutating func number(_ value: Double) { raw(value.isFinite ? "\(value)" : "null") }

  /// A number in text that is JSON already.
  mutating func raw(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  private mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(ascii: bracket))
    needsComma = false
  }

  private mutating func close(_ bracket: Unicode.Scalar) {
    bytes.append(UInt8(ascii: bracket))
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = false
  }

  private mutating func quote(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case ..<0x20, 0x7f:
        let digits = String(byte, radix: 16)
        bytes.append(contentsOf: (digits.utf8.count == 1 ? "\\u000" : "\\u00").utf8)
        bytes.append(contentsOf: digits.utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension JSONLineWriter {
  mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    integer(value)
  }

  mutating func member(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }

  /// The float exactly: its own fewest digits, read as a double, may round to a neighbour.
  mutating func member(_ name: String, _ value: Float) {
    key(name)
    number(Double(value))
  }

  mutating func member(_ name: String, _ values: some Sequence<Int32>) {
    key(name)
    beginArray()
    for value in values { integer(value) }
    endArray()
  }

  mutating func member(_ name: String, ids: some Sequence<RequestID>) {
    key(name)
    beginArray()
    for id in ids { integer(id.rawValue) }
    endArray()
  }

  /// Nanoseconds.
  mutating func member(_ name: String, _ time: Duration) {
    key(name)
    integer(time.wholeNanoseconds)
  }
}
