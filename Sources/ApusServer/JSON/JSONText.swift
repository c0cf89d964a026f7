package import ApusCheckpoint

/// A JSON value to be written: members in the order they are given, one line, no white space.
package indirect enum JSONText: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int)
  case unsigned(UInt64)
  /// Written with the fewest digits that give the same value back; null if not finite, which JSON cannot say.
  case double(Double)
  case float(Float)
  case string(String)
  case array([JSONText])
  case object([Member])

  package struct Member: Sendable, Equatable {
    package let name: String
    package let value: JSONText

    package init(name: String, value: JSONText) {
      self.name = name
      self.value = value
    }
  }

  /// The value on one line.
  package var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .unsigned(let value): text += "\(value)"
    case .double(let value): text += value.isFinite ? "\(value)" : "null"
    case .float(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSONText.quote(value, into: &text)
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        JSONText.quote(member.name, into: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  /// Escapes what JSON asks for (RFC 8259, section 7), and what some readers take for the end of a line or a
  /// terminal for a command: DEL, U+0080...U+009F, U+2028 and U+2029.
  private static func quote(_ string: String, into text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSONText {
  package static func ids(_ ids: [Int32]) -> JSONText { .array(ids.map { .integer(Int($0)) }) }

  package static func integers(_ values: [Int]) -> JSONText { .array(values.map { .integer($0) }) }

  package static func optional<Value>(_ value: Value?, _ write: (Value) -> JSONText) -> JSONText {
    value.map(write) ?? .null
  }
}

extension JSONText: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral members: (String, JSONText)...) {
    self = .object(members.map { Member(name: $0.0, value: $0.1) })
  }
}

extension JSONText: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
}

extension JSONText {
  /// What was read, as text again.
  package init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .double(value)
    case .string(let text): self = .string(text)
    case .array(let values): self = .array(values.map { JSONText($0) })
    case .object(let members):
      self = .object(
        (0..<members.count).map { Member(name: members[$0].key, value: JSONText(members[$0].value)) })
    }
  }
}
