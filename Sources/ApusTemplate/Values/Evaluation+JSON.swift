/// How `tojson` writes.
struct JSONStyle {
  var escapesNonASCII = false
  /// White space of one level; nil for all on one line.
  var indentation: TemplateText?
  var itemSeparator: TemplateText = ", "
  var keySeparator: TemplateText = ": "
  var sortsKeys = false
}

extension Evaluation {
  /// Python's `json.dumps`, which Hugging Face's `tojson` is: nothing is escaped for HTML.
  func json(_ value: Value, _ style: JSONStyle) throws(TemplateError) -> TemplateText {
    var text = TemplateText()
    try writeJSON(value, style, level: 0, to: &text)
    return text
  }

  private func writeJSON(
    _ value: Value, _ style: JSONStyle, level: Int, to text: inout TemplateText
  ) throws(TemplateError) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= depthMax else { throw tooDeep() }
    try charge()
    switch value {
    case .none: text.bytes += "null".utf8
    case .boolean(let value): text.bytes += (value ? "true" : "false").utf8
    case .integer(let value): text.bytes += "\(value)".utf8
    case .float(let value): text.bytes += jsonNumber(value).utf8
    case .text(let string), .safe(let string): try writeJSONString(string, style, to: &text)
    case .list(let array), .tuple(let array), .group(let array):
      try writeJSON(array.items, style, level, to: &text)
    case .dictionary(let dictionary): try writeJSON(dictionary, style, level, to: &text)
    case .undefined, .view, .range, .iterator, .namespace, .loop, .function:
      throw invalid("a \(value.typeName) has no JSON")
    }
    guard text.bytes.count <= limits.textByteCountMax else {
      throw .tooMuchText(line: line, limit: limits.textByteCountMax)
    }
  }

  private func jsonNumber(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return NumberText.repr(value)
  }

  private func newLine(_ style: JSONStyle, _ level: Int, to text: inout TemplateText) throws(TemplateError) {
    guard let indentation = style.indentation else { return }
    try checkLength(indentation.bytes.count * level)
    text.bytes.append(UInt8(ascii: "\n"))
    for _ in 0..<level { text.bytes += indentation.bytes }
  }

  private func writeJSON(
    _ items: [Value], _ style: JSONStyle, _ level: Int, to text: inout TemplateText
  ) throws(TemplateError) {
    guard !items.isEmpty else {
      text.bytes += "[]".utf8
      return
    }
    text.bytes += "[".utf8
    for (index, item) in items.enumerated() {
      if index > 0 { text.bytes += style.itemSeparator.bytes }
      try newLine(style, level + 1, to: &text)
      try writeJSON(item, style, level: level + 1, to: &text)
    }
    try newLine(style, level, to: &text)
    text.bytes += "]".utf8
  }

  private func writeJSON(
    _ dictionary: ValueDictionary, _ style: JSONStyle, _ level: Int, to text: inout TemplateText
  ) throws(TemplateError) {
    guard dictionary.count > 0 else {
      text.bytes += "{}".utf8
      return
    }
    var members = zip(dictionary.keys, dictionary.values).map { (key: $0, value: $1) }
    if style.sortsKeys { members = try sorted(members, isReversed: false) }
    text.bytes += "{".utf8
    for (index, member) in members.enumerated() {
      if index > 0 { text.bytes += style.itemSeparator.bytes }
      try newLine(style, level + 1, to: &text)
      try writeJSONString(try jsonKey(member.key), style, to: &text)
      text.bytes += style.keySeparator.bytes
      try writeJSON(member.value, style, level: level + 1, to: &text)
    }
    try newLine(style, level, to: &text)
    text.bytes += "}".utf8
  }

  private func jsonKey(_ key: Value) throws(TemplateError) -> TemplateText {
    switch key {
    case .text(let text), .safe(let text): return text
    case .none: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return TemplateText("\(value)")
    case .float(let value): return TemplateText(jsonNumber(value))
    default: throw invalid("a \(key.typeName) is no key of a JSON object")
    }
  }

  private func writeJSONString(
    _ string: TemplateText, _ style: JSONStyle, to text: inout TemplateText
  ) throws(TemplateError) {
    try charge(bytes: string.bytes.count)
    text.bytes.append(UInt8(ascii: "\""))
    if style.escapesNonASCII {
      for scalar in string.string.unicodeScalars {
        if scalar.value < 0x80 {
          writeJSON(UInt8(scalar.value), to: &text)
        } else {
          for unit in UTF16.encode(scalar)! { text.bytes += "\\u\(hexadecimal(UInt32(unit), width: 4))".utf8 }
        }
      }
    } else {
      for byte in string.bytes { writeJSON(byte, to: &text) }
    }
    text.bytes.append(UInt8(ascii: "\""))
  }

  private func writeJSON(_ byte: UInt8, to text: inout TemplateText) {
    if let escape = jsonEscape(byte) { text.bytes += escape.utf8 } else { text.bytes.append(byte) }
  }

  private func jsonEscape(_ byte: UInt8) -> String? {
    switch byte {
    case UInt8(ascii: "\""): "\\\""
    case UInt8(ascii: "\\"): "\\\\"
    case UInt8(ascii: "\n"): "\\n"
    case UInt8(ascii: "\r"): "\\r"
    case UInt8(ascii: "\t"): "\\t"
    case 0x08: "\\b"
    case 0x0C: "\\f"
    case 0..<0x20: "\\u\(hexadecimal(UInt32(byte), width: 4))"
    default: nil
    }
  }
}
