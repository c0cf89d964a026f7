/// A JSON value whose strings are bytes.
///
/// Swift's `String` compares by canonical equivalence, under which two different tokens can be equal: a
/// vocabulary read through `String` keys loses entries.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case string([UInt8])
  case array([JSONValue])
  case object([[UInt8]: JSONValue])
}

/// Reads JSON (RFC 8259) from valid UTF-8, pull by pull, so that large members need no tree.
struct JSONReader {
  /// Deeper nesting than any tokenizer file has, shallow enough for every thread's stack.
  static let depthMax = 64

  private let text: UnsafeBufferPointer<UInt8>
  private(set) var position = 0

  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
  }

  func malformed(_ reason: String) -> TokenizerFileProblem {
    .malformedJSON(offset: position, reason: reason)
  }

  /// The next byte that is no white space, or nil at the end.
  mutating func peek() -> UInt8? {
    while position < text.count {
      let byte = text[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  mutating func expect(_ byte: UInt8) throws(TokenizerFileProblem) {
    guard peek() == byte else { throw malformed("expected '\(Character(Unicode.Scalar(byte)))'") }
    position += 1
  }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  mutating func expectEnd() throws(TokenizerFileProblem) {
    guard peek() == nil else { throw malformed("text after the value") }
  }

  /// Calls `member` with each key of an object; `member` reads the value.
  mutating func readObject(
    _ member: (inout JSONReader, [UInt8]) throws(TokenizerFileProblem) -> Void
  ) throws(TokenizerFileProblem) {
    try expect(UInt8(ascii: "{"))
    if skip(UInt8(ascii: "}")) { return }
    var key: [UInt8] = []
    repeat {
      key.removeAll(keepingCapacity: true)
      try readString(into: &key)
      try expect(UInt8(ascii: ":"))
      try member(&self, key)
    } while skip(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Calls `element` before each element of an array; `element` reads it.
  mutating func readArray(
    _ element: (inout JSONReader) throws(TokenizerFileProblem) -> Void
  ) throws(TokenizerFileProblem) {
    try expect(UInt8(ascii: "["))
    if skip(UInt8(ascii: "]")) { return }
    repeat { try element(&self) } while skip(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  mutating func readValue(depth: Int = 0) throws(TokenizerFileProblem) -> JSONValue {
    guard depth < Self.depthMax else { throw malformed("nested deeper than \(Self.depthMax)") }
    switch peek() {
    case UInt8(ascii: "{"):
      var object: [[UInt8]: JSONValue] = [:]
      try readObject { (reader, key) throws(TokenizerFileProblem) in
        let value = try reader.readValue(depth: depth + 1)
        guard object.updateValue(value, forKey: key) == nil else {
          throw reader.malformed("the key '\(String(decoding: key, as: UTF8.self))' occurs twice")
        }
      }
      return .object(object)
    case UInt8(ascii: "["):
      var array: [JSONValue] = []
      try readArray { (reader) throws(TokenizerFileProblem) in
        array.append(try reader.readValue(depth: depth + 1))
      }
      return .array(array)
    case UInt8(ascii: "\""):
      var string: [UInt8] = []
      try readString(into: &string)
      return .string(string)
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    case nil: throw malformed("the text ends early")
    default: return try readNumber()
    }
  }

  private mutating func readWord(
    _ word: StaticString, _ value: JSONValue
  ) throws(TokenizerFileProblem) -> JSONValue {
    for index in 0..<word.utf8CodeUnitCount {
      guard position < text.count, text[position] == word.utf8Start[index] else {
        throw malformed("expected a value")
      }
      position += 1
    }
    return value
  }

  private mutating func readNumber() throws(TokenizerFileProblem) -> JSONValue {
    let start = position
    while position < text.count, isNumberByte(text[position]) { position += 1 }
    let literal = String(decoding: text[start..<position], as: UTF8.self)
    guard let first = literal.utf8.first, first == UInt8(ascii: "-") || isDigit(first) else {
      position = start
      throw malformed("expected a value")
    }
    if let integer = Int(literal) { return .integer(integer) }
    guard let real = Double(literal), real.isFinite else {
      position = start
      throw malformed("not a number")
    }
    return .real(real)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private func isNumberByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
      || byte | 0x20 == UInt8(ascii: "e")
  }
}

extension JSONReader {
  /// A string's bytes, escapes resolved, appended to `bytes`.
  mutating func readString(into bytes: inout [UInt8]) throws(TokenizerFileProblem) {
    try expect(UInt8(ascii: "\""))
    var start = position
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\"") {
        bytes.append(contentsOf: text[start..<position])
        position += 1
        return
      }
      guard byte >= 0x20 else { throw malformed("a control character in a string") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        bytes.append(contentsOf: text[start..<position - 1])
        try readEscape(into: &bytes)
        start = position
      }
    }
    throw malformed("a string without end")
  }

  private mutating func readEscape(into bytes: inout [UInt8]) throws(TokenizerFileProblem) {
    guard position < text.count else { throw malformed("a string without end") }
    let letter = text[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"): bytes.append(scalar: try readUnicodeEscape())
    default: throw malformed("an unknown escape")
    }
  }

  private mutating func readUnicodeEscape() throws(TokenizerFileProblem) -> UInt32 {
    let high = try readHexadecimal()
    guard high & 0xF800 == 0xD800 else { return high }
    guard high < 0xDC00, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
      text[position + 1] == UInt8(ascii: "u")
    else { throw malformed("half a surrogate pair") }
    position += 2
    let low = try readHexadecimal()
    guard low & 0xFC00 == 0xDC00 else { throw malformed("half a surrogate pair") }
    return 0x10000 + (high & 0x3FF) << 10 + low & 0x3FF
  }

  private mutating func readHexadecimal() throws(TokenizerFileProblem) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < text.count,
        let digit = Character(Unicode.Scalar(text[position])).hexDigitValue, text[position] < 0x80
      else { throw malformed("expected four hexadecimal digits") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
