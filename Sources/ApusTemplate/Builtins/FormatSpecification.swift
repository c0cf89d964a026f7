/// `[[fill]align][sign][#][0][width][grouping][.precision][type]` of Python's format strings.
struct FormatSpecification {
  var fill: Unicode.Scalar = " "
  var align: Unicode.Scalar?
  var sign: Unicode.Scalar = "-"
  var isAlternate = false
  var isZeroPadded = false
  var width = 0
  var grouping: Unicode.Scalar?
  var precision: Int?
  var type: Unicode.Scalar?

  /// Nil for what is no specification.
  init?(_ text: TemplateText) {
    let scalars = text.scalars
    var position = 0
    func peek(_ offset: Int = 0) -> Unicode.Scalar? {
      position + offset < scalars.count ? scalars[position + offset] : nil
    }
    func take(_ accepted: String) -> Unicode.Scalar? {
      guard let scalar = peek(), accepted.unicodeScalars.contains(scalar) else { return nil }
      position += 1
      return scalar
    }
    func number() -> Int? {
      var value: Int?
      while let digit = take("0123456789") {
        value = min((value ?? 0) * 10 + Int(digit.value - 48), 1 << 40)
      }
      return value
    }
    if let next = peek(1), "<>=^".unicodeScalars.contains(next) {
      fill = scalars[0]
      align = next
      position = 2
    } else {
      align = take("<>=^")
    }
    sign = take("+- ") ?? "-"
    isAlternate = take("#") != nil
    isZeroPadded = take("0") != nil
    if isZeroPadded, align == nil {
      fill = "0"
      align = "="
    }
    width = number() ?? 0
    grouping = take(",_")
    if take(".") != nil {
      guard let digits = number() else { return nil }
      precision = digits
    }
    if position < scalars.count {
      type = scalars[position]
      position += 1
    }
    guard position == scalars.count else { return nil }
  }

  init() {}
}

extension Evaluation {
  /// `format(value, specification)`
  func formatted(_ value: Value, _ specification: TemplateText) throws(TemplateError) -> TemplateText {
    if specification.isEmpty { return try string(value) }
    guard let parsed = FormatSpecification(specification) else { throw invalid("a malformed format") }
    return try formatted(value, parsed)
  }

  func formatted(_ value: Value, _ parsed: FormatSpecification) throws(TemplateError) -> TemplateText {
    switch value {
    case .text(let text):
      guard parsed.type == nil || parsed.type == "s", parsed.sign == "-",
        parsed.align != "=" || parsed.isZeroPadded,
        parsed.grouping == nil, !parsed.isAlternate
      else { throw invalid("a format that text does not take") }
      var shown = text
      if let precision = parsed.precision { shown = TemplateText(text.scalars.prefix(precision)) }
      var aligned = parsed
      if aligned.align == "=" { aligned.align = "<" }
      return try padded(shown, sign: "", aligned, default: "<")
    case .boolean, .integer, .float: return try formattedNumber(value, parsed)
    case .undefined: throw invalid("an undefined value in a format")
    default: throw invalid("a \(value.typeName) in a format that is not empty")
    }
  }

  private func formattedNumber(
    _ value: Value, _ specification: FormatSpecification
  ) throws(TemplateError) -> TemplateText {
    let type = specification.type
    if case .float = value {
    } else if type == nil || "dxXobn".unicodeScalars.contains(type!) {
      guard specification.precision == nil, type != "n" else { throw invalid("a precision of an integer") }
      return try formatted(integer: try index(value), specification)
    }
    guard let number = Number(value)?.double else { throw invalid("no number") }
    let precision = specification.precision ?? 6
    guard precision <= 400 else { throw unsupported("a precision of \(precision) digits") }
    let magnitude = number.magnitude
    var digits: String
    switch type {
    case nil where specification.precision == nil: digits = NumberText.repr(magnitude)
    case "f", "F": digits = NumberText.formatted(magnitude, "f", precision: precision)
    case "e", "E": digits = NumberText.formatted(magnitude, "e", precision: precision)
    case "g", "G":
      digits = NumberText.formatted(
        magnitude, "g", precision: precision, alternate: specification.isAlternate)
    case "%": digits = NumberText.formatted(magnitude * 100, "f", precision: precision) + "%"
    default: throw unsupported("this format of a number")
    }
    if let type, type.properties.isUppercase { digits = digits.uppercased() }
    if let grouping = specification.grouping {
      let whole = digits.prefix { $0.isNumber }
      digits = grouped(String(whole), grouping, every: 3) + digits.dropFirst(whole.count)
    }
    let isNegative = number.sign == .minus && !number.isNaN
    return try padded(
      TemplateText(digits), sign: sign(isNegative, specification), specification, default: ">")
  }

  private func formatted(
    integer: Int, _ specification: FormatSpecification
  ) throws(TemplateError) -> TemplateText {
    var digits: String
    var prefix = ""
    switch specification.type {
    case "x": (digits, prefix) = (String(integer.magnitude, radix: 16), "0x")
    case "X": (digits, prefix) = (String(integer.magnitude, radix: 16, uppercase: true), "0X")
    case "o": (digits, prefix) = (String(integer.magnitude, radix: 8), "0o")
    case "b": (digits, prefix) = (String(integer.magnitude, radix: 2), "0b")
    default: digits = String(integer.magnitude)
    }
    if let grouping = specification.grouping {
      let isDecimal = prefix.isEmpty
      guard grouping == "_" || isDecimal else { throw invalid("',' in a format that is not decimal") }
      digits = grouped(digits, grouping, every: isDecimal ? 3 : 4)
    }
    let sign = sign(integer < 0, specification) + (specification.isAlternate ? prefix : "")
    return try padded(TemplateText(digits), sign: sign, specification, default: ">")
  }

  private func sign(_ isNegative: Bool, _ specification: FormatSpecification) -> String {
    if isNegative { return "-" }
    return specification.sign == "-" ? "" : String(specification.sign)
  }

  private func grouped(_ digits: String, _ separator: Unicode.Scalar, every count: Int) -> String {
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % count == 0 { result.unicodeScalars.append(separator) }
      result.append(digit)
    }
    return result
  }

  private func padded(
    _ text: TemplateText, sign: String, _ specification: FormatSpecification, default align: Unicode.Scalar
  ) throws(TemplateError) -> TemplateText {
    let missing = max(0, specification.width - text.count - sign.utf8.count)
    try checkLength(missing)
    let align = specification.align ?? align
    if align == "=", missing > 0, specification.grouping != nil, specification.fill == "0" {
      throw unsupported("zeros before grouped digits")
    }
    func fill(_ count: Int) -> [UInt8] {
      TemplateText(repeatElement(specification.fill, count: count)).bytes
    }
    switch align {
    case "<": return TemplateText(bytes: Array(sign.utf8) + text.bytes + fill(missing))
    case "^":
      return TemplateText(
        bytes: fill(missing / 2) + Array(sign.utf8) + text.bytes + fill(missing - missing / 2))
    case "=": return TemplateText(bytes: Array(sign.utf8) + fill(missing) + text.bytes)
    default: return TemplateText(bytes: fill(missing) + Array(sign.utf8) + text.bytes)
    }
  }
}
