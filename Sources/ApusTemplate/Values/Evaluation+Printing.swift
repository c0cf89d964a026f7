extension Evaluation {
  /// `str(value)`
  func string(_ value: Value) throws(TemplateError) -> TemplateText {
    switch value {
    case .undefined: return ""
    case .text(let text), .safe(let text): return text
    default: return try representation(value)
    }
  }

  /// `repr(value)`
  func representation(_ value: Value) throws(TemplateError) -> TemplateText {
    var text = TemplateText()
    try writeRepresentation(value, to: &text)
    return text
  }

  private func writeRepresentation(_ value: Value, to text: inout TemplateText) throws(TemplateError) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= depthMax else { throw tooDeep() }
    try charge()
    switch value {
    case .undefined: text.bytes += "Undefined".utf8
    case .none: text.bytes += "None".utf8
    case .boolean(let value): text.bytes += (value ? "True" : "False").utf8
    case .integer(let value): text.bytes += "\(value)".utf8
    case .float(let value): text.bytes += NumberText.repr(value).utf8
    case .text(let string): try writeQuoted(string, to: &text)
    case .safe(let string):
      text.bytes += "Markup(".utf8
      try writeQuoted(string, to: &text)
      text.bytes += ")".utf8
    case .list(let array): try write(array.items, "[", "]", to: &text)
    case .tuple(let array), .group(let array):
      try write(array.items, "(", array.items.count == 1 ? ",)" : ")", to: &text)
    case .dictionary(let dictionary): try write(dictionary, to: &text)
    case .view(let dictionary, let view):
      try write(dictionary.elements(view), "dict_\(view.rawValue)([", "])", to: &text)
    case .range(let range):
      let step = range.step == 1 ? "" : ", \(range.step)"
      text.bytes += "range(\(range.start), \(range.stop)\(step))".utf8
    case .namespace(let index):
      text.bytes += "<Namespace ".utf8
      try write(namespaces[index], to: &text)
      text.bytes += ">".utf8
    case .loop(let state): text.bytes += "<LoopContext \(state.index0 + 1)/\(try state.count(self))>".utf8
    case .function(.macro(let index)):
      text.bytes += "<Macro ".utf8
      try writeQuoted(TemplateText(macros[index].definition.name), to: &text)
      text.bytes += ">".utf8
    case .function, .iterator:
      // Python prints an address.
      throw unsupported("printing a \(value.typeName)")
    }
    guard text.bytes.count <= limits.textByteCountMax else {
      throw .tooMuchText(line: line, limit: limits.textByteCountMax)
    }
  }

  private func write(
    _ items: [Value], _ open: String, _ close: String, to text: inout TemplateText
  ) throws(TemplateError) {
    text.bytes += open.utf8
    for (index, item) in items.enumerated() {
      if index > 0 { text.bytes += ", ".utf8 }
      try writeRepresentation(item, to: &text)
    }
    text.bytes += close.utf8
  }

  private func write(_ dictionary: ValueDictionary, to text: inout TemplateText) throws(TemplateError) {
    text.bytes += "{".utf8
    for (index, (key, value)) in zip(dictionary.keys, dictionary.values).enumerated() {
      if index > 0 { text.bytes += ", ".utf8 }
      try writeRepresentation(key, to: &text)
      text.bytes += ": ".utf8
      try writeRepresentation(value, to: &text)
    }
    text.bytes += "}".utf8
  }

  private func writeQuoted(_ string: TemplateText, to text: inout TemplateText) throws(TemplateError) {
    try charge(bytes: string.bytes.count)
    let hasSingle = string.bytes.contains(UInt8(ascii: "'"))
    let quote: Unicode.Scalar = hasSingle && !string.bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
    text.append(quote)
    for scalar in string.string.unicodeScalars {
      switch scalar {
      case quote, "\\":
        text.append("\\")
        text.append(scalar)
      case "\n": text.bytes += "\\n".utf8
      case "\r": text.bytes += "\\r".utf8
      case "\t": text.bytes += "\\t".utf8
      case let scalar where scalar.isTemplatePrintable: text.append(scalar)
      default:
        let (letter, width) =
          scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        text.bytes += "\\\(letter)\(hexadecimal(scalar.value, width: width))".utf8
      }
    }
    text.append(quote)
  }
}

/// Lower-case digits, with zeros before.
func hexadecimal(_ value: UInt32, width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
