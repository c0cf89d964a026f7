/// The filters `int`, `float` and `round`.
extension Evaluation {
  func toInteger(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "int", ["default", "base"])
    let fallback = given[0] ?? .integer(0)
    switch value {
    case .undefined(let reason): throw .undefined(line: line, reason: reason)
    case .boolean, .integer: return .integer(try index(value))
    case .float(let value):
      guard !value.isInfinite else { throw invalid("an infinite float as an integer") }
      return value.isNaN ? fallback : try truncated(value)
    case .text(let text), .safe(let text):
      try charge(bytes: text.bytes.count)
      let base = try given[1].map { (base) throws(TemplateError) in try index(base) } ?? 10
      if let integer = try integer(text, base: base) { return .integer(integer) }
      guard let float = try float(text), float.isFinite else { return fallback }
      return try truncated(float)
    default: return fallback
    }
  }

  private func truncated(_ value: Double) throws(TemplateError) -> Value {
    guard let integer = Int(exactly: value.rounded(.towardZero)) else { throw .integerOverflow(line: line) }
    return .integer(integer)
  }

  func toFloat(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let fallback = try bind(arguments, to: "float", ["default"])[0] ?? .float(0)
    if case .undefined(let reason) = value { throw .undefined(line: line, reason: reason) }
    if let number = Number(value) { return .float(number.double) }
    guard case .text(let text) = value else { return fallback }
    try charge(bytes: text.bytes.count)
    return try float(text).map { .float($0) } ?? fallback
  }

  /// Digits with single underscores between them removed; nil where they are not so.
  private func plainNumber(_ text: TemplateText) throws(TemplateError) -> [UInt8]? {
    let bytes = text.stripped().bytes
    guard TemplateText(bytes: bytes).isASCII else {
      let isNumber = TemplateText(bytes: bytes).string.unicodeScalars.allSatisfy {
        $0.value < 0x80 || $0.properties.generalCategory == .decimalNumber
      }
      if isNumber { throw unsupported("a number in digits other than 0-9") }
      return nil
    }
    var result: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      guard byte == UInt8(ascii: "_") else {
        result.append(byte)
        continue
      }
      guard index > 0, index + 1 < bytes.count, isAlphanumeric(bytes[index - 1]),
        isAlphanumeric(bytes[index + 1])
      else { return nil }
    }
    return result
  }

  private func isAlphanumeric(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20
  }

  /// Python's `int(text, base)`.
  private func integer(_ text: TemplateText, base: Int) throws(TemplateError) -> Int? {
    guard base == 10 || base == 16 || base == 8 || base == 2 else { throw unsupported("the base \(base)") }
    guard let bytes = try plainNumber(text) else { return nil }
    var digits = bytes[...]
    var sign = ""
    if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      sign = first == UInt8(ascii: "-") ? "-" : ""
      digits.removeFirst()
    }
    let prefix: [Int: UInt8] = [16: UInt8(ascii: "x"), 8: UInt8(ascii: "o"), 2: UInt8(ascii: "b")]
    if let letter = prefix[base], digits.first == UInt8(ascii: "0"),
      digits.dropFirst().first.map({ $0 | 0x20 }) == letter
    {
      digits = digits.dropFirst(2)
    }
    guard !digits.isEmpty, digits.allSatisfy({ value(of: $0) < base }) else { return nil }
    guard let integer = Int(sign + String(decoding: digits, as: UTF8.self), radix: base) else {
      throw .integerOverflow(line: line)
    }
    return integer
  }

  private func value(of digit: UInt8) -> Int {
    guard isAlphanumeric(digit) else { return .max }
    return Character(UnicodeScalar(digit)).hexDigitValue ?? .max
  }

  /// Python's `float(text)`.
  private func float(_ text: TemplateText) throws(TemplateError) -> Double? {
    guard let bytes = try plainNumber(text) else { return nil }
    let literal = String(decoding: bytes, as: UTF8.self).lowercased()
    let unsigned = literal.first.map { "+-".contains($0) } == true ? literal.dropFirst() : literal[...]
    if ["inf", "infinity", "nan"].contains(unsigned) { return Double(literal) }
    guard unsigned.allSatisfy({ $0.isNumber || ".e+-".contains($0) }), unsigned.contains(where: \.isNumber)
    else {
      return nil
    }
    return pythonDouble(literal)
  }

  private func pythonDouble(_ literal: String) -> Double? {
    // "1." and ".5" are numbers to Python.
    let parts = literal.split(separator: "e", omittingEmptySubsequences: false)
    var mantissa = String(parts[0])
    if mantissa.hasSuffix(".") { mantissa += "0" }
    guard mantissa.contains(where: \.isNumber), parts.count <= 2 else { return nil }
    guard parts.count == 2 else { return Double(mantissa) }
    guard parts[1].last?.isNumber == true else { return nil }
    return Double("\(mantissa)e\(parts[1])")
  }

  func rounded(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "round", ["precision", "method"])
    let precision = try given[0].map { (value) throws(TemplateError) in try index(value) } ?? 0
    let method = try given[1].map { (value) throws(TemplateError) in try plainText(value).string } ?? "common"
    guard ["common", "ceil", "floor"].contains(method) else {
      throw invalid("a method of rounding other than common, ceil and floor")
    }
    guard let number = Number(value) else {
      if case .undefined(let reason) = value { throw .undefined(line: line, reason: reason) }
      throw invalid("a \(value.typeName) cannot be rounded")
    }
    if method == "common" {
      switch number {
      case .float(let value):
        let result = NumberText.rounded(value, digits: precision)
        guard result.isFinite || !value.isFinite else {
          throw invalid("a rounded value too large for a float")
        }
        return .float(result)
      case .integer(let value): return .integer(try rounded(value, digits: precision))
      }
    }
    let scale = try arithmetic(.power, .integer(10), .integer(precision))
    let scaled = try arithmetic(.multiply, value, scale)
    guard case .float(let float) = scaled else { return try arithmetic(.divide, scaled, scale) }
    guard float.isFinite else { throw invalid("a float without an integer near") }
    // Python's integer has no negative zero.
    return try arithmetic(.divide, .float(float.rounded(method == "ceil" ? .up : .down) + 0.0), scale)
  }

  /// To a multiple of a power of ten, ties to even.
  private func rounded(_ value: Int, digits: Int) throws(TemplateError) -> Int {
    guard digits < 0 else { return value }
    guard digits >= -18 else { return 0 }
    let unit = (0..<(-digits)).reduce(1) { product, _ in product * 10 }
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: unit)
    let twice = remainder.magnitude * 2
    let isUp = twice > unit.magnitude || twice == unit.magnitude && quotient & 1 == 1
    let (result, overflow) = (quotient + (isUp ? value.signum() : 0)).multipliedReportingOverflow(by: unit)
    guard !overflow else { throw .integerOverflow(line: line) }
    return result
  }
}
