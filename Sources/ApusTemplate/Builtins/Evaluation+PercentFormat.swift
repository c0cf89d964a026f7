/// `"%s and %05.1f" % values`
extension Evaluation {
  private struct Conversion {
    var flags: Set<Unicode.Scalar> = []
    var width = 0
    var precision: Int?
    var letter: Unicode.Scalar = "s"
  }

  /// - Parameter values: a tuple's items, or a dictionary's members, or one value.
  func percentFormat(_ format: TemplateText, _ values: Value) throws(TemplateError) -> Value {
    try charge(bytes: format.bytes.count)
    var result = TemplateText()
    var left: [Value] = [values]
    var hasNames = false
    switch values {
    case .tuple(let array), .group(let array): left = array.items
    default: break
    }
    left.reverse()
    let scalars = format.scalars
    var position = 0
    while position < scalars.count {
      let scalar = scalars[position]
      position += 1
      guard scalar == "%" else {
        result.append(scalar)
        continue
      }
      let name = try formatName(scalars, &position)
      let conversion = try conversion(scalars, &position)
      if conversion.letter == "%" {
        result.append("%")
        continue
      }
      let value: Value
      if let name {
        hasNames = true
        guard case .dictionary(let members) = values, let member = members[.text(name)] else {
          throw invalid("a format without a value for a name")
        }
        value = member
      } else {
        guard let next = left.popLast() else { throw invalid("a format with too few values") }
        value = next
      }
      result.bytes += try converted(value, conversion).bytes
      try checkLength(result.bytes.count)
    }
    // What has names takes no notice of what is left, nor does one value that is a mapping or a list.
    if !left.isEmpty, !hasNames {
      switch values {
      case .dictionary, .list: break
      default: throw invalid("a format with too many values")
      }
    }
    return try text(result)
  }

  private func formatName(
    _ scalars: [Unicode.Scalar], _ position: inout Int
  ) throws(TemplateError) -> TemplateText? {
    guard position < scalars.count, scalars[position] == "(" else { return nil }
    guard let end = scalars[position...].firstIndex(of: ")") else { throw invalid("a malformed format") }
    defer { position = end + 1 }
    return TemplateText(scalars[(position + 1)..<end])
  }

  private func conversion(
    _ scalars: [Unicode.Scalar], _ position: inout Int
  ) throws(TemplateError) -> Conversion {
    var conversion = Conversion()
    func number() -> Int? {
      var value: Int?
      while position < scalars.count, "0"..."9" ~= scalars[position] {
        value = min((value ?? 0) * 10 + Int(scalars[position].value - 48), 1 << 40)
        position += 1
      }
      return value
    }
    while position < scalars.count, "#0- +".unicodeScalars.contains(scalars[position]) {
      conversion.flags.insert(scalars[position])
      position += 1
    }
    conversion.width = number() ?? 0
    if position < scalars.count, scalars[position] == "." {
      position += 1
      conversion.precision = number() ?? 0
    }
    guard position < scalars.count else { throw invalid("a format that ends early") }
    conversion.letter = scalars[position]
    position += 1
    return conversion
  }

  private func converted(_ value: Value, _ conversion: Conversion) throws(TemplateError) -> TemplateText {
    var specification = FormatSpecification()
    specification.width = conversion.width
    if conversion.flags.contains(" ") { specification.sign = " " }
    if conversion.flags.contains("+") { specification.sign = "+" }
    switch conversion.letter {
    case "s", "r":
      var text = try conversion.letter == "s" ? string(value) : representation(value)
      if let precision = conversion.precision { text = TemplateText(text.scalars.prefix(precision)) }
      specification.sign = "-"
      specification.align = conversion.flags.contains("-") ? "<" : ">"
      return try formatted(.text(text), specification)
    case "d", "i", "u", "x", "X", "o", "f", "F", "e", "E", "g", "G":
      if conversion.flags.contains("#") { throw unsupported("'#' in a format with '%'") }
      if conversion.flags.contains("-") {
        specification.align = "<"
      } else if conversion.flags.contains("0") {
        specification.align = "="
        specification.fill = "0"
      }
      return try convertedNumber(value, conversion, specification)
    default: throw unsupported("the conversion '%\(conversion.letter.escaped(asASCII: true))'")
    }
  }

  private func convertedNumber(
    _ value: Value, _ conversion: Conversion, _ specification: FormatSpecification
  ) throws(TemplateError) -> TemplateText {
    var specification = specification
    guard let number = Number(value) else {
      throw invalid("a \(value.typeName) where a format wants a number")
    }
    switch conversion.letter {
    case "d", "i", "u", "x", "X", "o":
      guard conversion.precision == nil else { throw unsupported("a precision of an integer") }
      var integer: Int
      switch number {
      case .integer(let value): integer = value
      case .float(let value):
        guard "diu".unicodeScalars.contains(conversion.letter) else {
          throw invalid("a float in this format")
        }
        guard let whole = Int(exactly: value.rounded(.towardZero)) else { throw .integerOverflow(line: line) }
        integer = whole
      }
      specification.type = "diu".unicodeScalars.contains(conversion.letter) ? "d" : conversion.letter
      return try formatted(.integer(integer), specification)
    default:
      specification.type = conversion.letter
      specification.precision = conversion.precision ?? 6
      return try formatted(.float(number.double), specification)
    }
  }
}
