/// A strict JSON parser (RFC 8259) for files from outside: duplicate keys, unpaired surrogates, `NaN` and
/// `Infinity` are refused; depth and the number of values are bounded, and no number can trap.
struct JSONParser {
  static let depthMax = 64
  static let valueCountMax = 1 << 21

  /// Valid for the duration of `parse` only.
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var valueCount = 0

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Parses one value that fills `bytes` but for white space around it.
  static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipWhiteSpace()
    guard parser.position == bytes.count else { throw parser.error(.trailingBytes) }
    return value
  }

  private func error(_ reason: JSONError.Reason, at offset: Int? = nil) -> JSONError {
    JSONError(offset: offset ?? position, reason: reason)
  }

  private func unexpected() -> JSONError {
    position < bytes.count ? error(.unexpectedByte(bytes[position])) : error(.unexpectedEnd)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhiteSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.depthMax else { throw error(.tooDeep(limit: Self.depthMax)) }
    valueCount += 1
    guard valueCount <= Self.valueCountMax else { throw error(.tooManyValues(limit: Self.valueCountMax)) }
    skipWhiteSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .boolean(true))
    case UInt8(ascii: "f"): return try literal("false", .boolean(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for index in 0..<text.utf8CodeUnitCount where !take(text.utf8Start[index]) { throw unexpected() }
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONMembers {
    var members = JSONMembers()
    position += 1
    skipWhiteSpace()
    if take(UInt8(ascii: "}")) { return members }
    while true {
      skipWhiteSpace()
      let start = position
      guard next == UInt8(ascii: "\"") else { throw unexpected() }
      let key = try string()
      skipWhiteSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected() }
      let member = try value(depth: depth + 1)
      guard members.append(key, member) else { throw error(.duplicateKey(key), at: start) }
      skipWhiteSpace()
      if take(UInt8(ascii: "}")) { return members }
      guard take(UInt8(ascii: ",")) else { throw unexpected() }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    var values: [JSONValue] = []
    position += 1
    skipWhiteSpace()
    if take(UInt8(ascii: "]")) { return values }
    while true {
      values.append(try value(depth: depth + 1))
      skipWhiteSpace()
      if take(UInt8(ascii: "]")) { return values }
      guard take(UInt8(ascii: ",")) else { throw unexpected() }
    }
  }
}

// MARK: - Strings

extension JSONParser {
  private mutating func string() throws(JSONError) -> String {
    let start = position
    position += 1
    var decoded: [UInt8] = []
    var runStart = position
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        decoded.append(contentsOf: bytes[runStart..<position])
        position += 1
        guard let text = String(validating: decoded, as: UTF8.self) else {
          throw error(.invalidUTF8, at: start)
        }
        return text
      case UInt8(ascii: "\\"):
        decoded.append(contentsOf: bytes[runStart..<position])
        decoded.append(contentsOf: try escape().utf8)
        runStart = position
      case 0..<0x20:
        throw error(.controlCharacter)
      default:
        position += 1
      }
    }
    throw error(.unexpectedEnd)
  }

  private mutating func escape() throws(JSONError) -> Character {
    let start = position
    position += 1
    guard let kind = next else { throw error(.unexpectedEnd) }
    position += 1
    switch kind {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return Character(try escapedScalar(start: start))
    default: throw error(.invalidEscape, at: start)
    }
  }

  /// The scalar of `\u` and four hexadecimal digits, or of a surrogate pair of two such; half a pair is an error.
  private mutating func escapedScalar(start: Int) throws(JSONError) -> Unicode.Scalar {
    let first = try hexadecimal(start: start)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw error(.invalidEscape, at: start)
    }
    let second = try hexadecimal(start: start)
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error(.invalidEscape, at: start) }
    return scalar
  }

  private mutating func hexadecimal(start: Int) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next else { throw error(.unexpectedEnd) }
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error(.invalidEscape, at: start)
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}

// MARK: - Numbers

extension JSONParser {
  private mutating func digits() throws(JSONError) {
    guard let byte = next, isDigit(byte) else { throw unexpected() }
    while let byte = next, isDigit(byte) { position += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else { throw error(.numberOutOfRange, at: start) }
    return .number(number)
  }
}
