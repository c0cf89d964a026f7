/// `"{} {name.part:>8}".format(...)`
extension Evaluation {
  func braceFormat(_ format: TemplateText, _ arguments: CallArguments) throws(TemplateError) -> TemplateText {
    var result = TemplateText()
    let scalars = format.scalars
    var position = 0
    /// Whether fields are counted, or name their argument; nil before the first.
    var isCounted: Bool?
    var counted = 0
    while position < scalars.count {
      let scalar = scalars[position]
      guard scalar == "{" || scalar == "}" else {
        result.append(scalar)
        position += 1
        continue
      }
      if position + 1 < scalars.count, scalars[position + 1] == scalar {
        result.append(scalar)
        position += 2
        continue
      }
      guard scalar == "{", let end = scalars[position...].firstIndex(of: "}") else {
        throw invalid("a format with a single brace")
      }
      let field = Array(scalars[(position + 1)..<end])
      guard !field.contains("{") else { throw unsupported("a field in a field of a format") }
      position = end + 1
      try charge()
      result.bytes += try replacement(field, arguments, &isCounted, &counted).bytes
      try checkLength(result.bytes.count)
    }
    return result
  }

  private func replacement(
    _ field: [Unicode.Scalar], _ arguments: CallArguments, _ isCounted: inout Bool?, _ counted: inout Int
  ) throws(TemplateError) -> TemplateText {
    let nameEnd = field.firstIndex { $0 == "!" || $0 == ":" } ?? field.endIndex
    var rest = field[nameEnd...]
    var conversion: Unicode.Scalar?
    if rest.first == "!" {
      conversion = rest.dropFirst().first
      rest = rest.dropFirst(2)
      guard conversion != nil, rest.isEmpty || rest.first == ":" else { throw invalid("a malformed format") }
    }
    let specification = TemplateText(rest.dropFirst())
    let baseEnd = field[..<nameEnd].firstIndex { $0 == "." || $0 == "[" } ?? nameEnd
    let base = TemplateText(field[..<baseEnd])
    var value: Value
    if base.isEmpty || base.isDigit {
      guard isCounted != !base.isEmpty else { throw invalid("a format with fields counted and numbered") }
      isCounted = base.isEmpty
      let index = base.isEmpty ? counted : Int(base.string) ?? .max
      if base.isEmpty { counted += 1 }
      guard index < arguments.positional.count else { throw invalid("a format with too few values") }
      value = arguments.positional[index]
    } else {
      guard let named = arguments.named.first(where: { $0.name == base.string }) else {
        throw invalid("a format without a value for a name")
      }
      value = named.value
    }
    value = try follow(field[baseEnd..<nameEnd], from: value)
    switch conversion {
    case nil: break
    case "s": value = .text(try string(value))
    case "r": value = .text(try representation(value))
    default: throw unsupported("this conversion in a format")
    }
    return try formatted(value, specification)
  }

  /// `.name` and `[key]` after the name of a field.
  private func follow(_ path: ArraySlice<Unicode.Scalar>, from value: Value) throws(TemplateError) -> Value {
    var value = value
    var path = path
    while let open = path.popFirst() {
      if open == "." {
        let end = path.firstIndex { $0 == "." || $0 == "[" } ?? path.endIndex
        value = try attribute(value, TemplateText(path[..<end]).string)
        path = path[end...]
      } else {
        guard open == "[", let end = path.firstIndex(of: "]") else { throw invalid("a malformed format") }
        let key = TemplateText(path[..<end])
        value = try item(value, key.isDigit ? .integer(Int(key.string) ?? .max) : .text(key))
        path = path[(end + 1)...]
      }
    }
    return value
  }
}
