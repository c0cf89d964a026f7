import ApusCheckpoint

/// Where JSON values lie in a text that a model wrote: their extent is found before their end may be there,
/// and their text is kept as it is.
enum JSONSpan {
  /// Follows a text, byte by byte, from the first of an object or array to the last.
  struct Scanner: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// True: `byte` is the last of the value.
    mutating func take(_ byte: UInt8) -> Bool {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        return false
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        return depth == 0
      default: break
      }
      return false
    }
  }

  /// The value of a whole text; nil where it is not JSON.
  static func value(_ text: some Sequence<UInt8>) -> JSONValue? {
    Array(text).withUnsafeBytes { try? JSONValue(parsing: $0, file: "output") }
  }

  /// The texts of an object's members, by key. `bytes` is valid JSON of an object.
  static func members(_ bytes: ArraySlice<UInt8>) -> [String: ArraySlice<UInt8>] {
    var members: [String: ArraySlice<UInt8>] = [:]
    var rest = bytes.dropFirst()
    while let start = rest.firstIndex(of: UInt8(ascii: "\"")) {
      let keyEnd = endOfValue(rest[start...])
      guard case .string(let key)? = value(rest[start..<keyEnd]) else { break }
      guard let colon = rest[keyEnd...].firstIndex(of: UInt8(ascii: ":")) else { break }
      guard let valueStart = rest[(colon + 1)...].firstIndex(where: { !isSpace($0) }) else { break }
      let valueEnd = endOfValue(rest[valueStart...])
      members[key] = rest[valueStart..<valueEnd]
      rest = rest[valueEnd...]
    }
    return members
  }

  /// The texts of an array's elements. `bytes` is valid JSON of an array.
  static func elements(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var elements: [ArraySlice<UInt8>] = []
    var rest = bytes.dropFirst()
    while let start = rest.firstIndex(where: { !isSpace($0) && $0 != UInt8(ascii: ",") }),
      rest[start] != UInt8(ascii: "]")
    {
      let end = endOfValue(rest[start...])
      elements.append(rest[start..<end])
      rest = rest[end...]
    }
    return elements
  }

  /// Of valid JSON that begins with a value.
  private static func endOfValue(_ bytes: ArraySlice<UInt8>) -> Int {
    switch bytes.first {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var scanner = Scanner()
      return bytes.firstIndex { scanner.take($0) }.map { $0 + 1 } ?? bytes.endIndex
    case UInt8(ascii: "\""):
      var isEscaped = false
      for index in bytes.indices.dropFirst() {
        if isEscaped {
          isEscaped = false
        } else if bytes[index] == UInt8(ascii: "\\") {
          isEscaped = true
        } else if bytes[index] == UInt8(ascii: "\"") {
          return index + 1
        }
      }
      return bytes.endIndex
    default:
      let ends = [UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")]
      return bytes.firstIndex { ends.contains($0) || isSpace($0) } ?? bytes.endIndex
    }
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }
}

extension ToolCall {
  /// The call that a JSON object describes: a name, and arguments under one of `keys`. Nil where it describes
  /// none.
  init?(_ bytes: ArraySlice<UInt8>, argumentKeys keys: [String]) {
    guard bytes.first == UInt8(ascii: "{"), case .object? = JSONSpan.value(bytes) else { return nil }
    let members = JSONSpan.members(bytes)
    guard let name = members["name"], case .string(let name)? = JSONSpan.value(name), !name.isEmpty else {
      return nil
    }
    self.name = name
    guard let text = keys.lazy.compactMap({ members[$0] }).first, let value = JSONSpan.value(text) else {
      arguments = "{}"
      return
    }
    switch value {
    case .object: arguments = String(decoding: text, as: UTF8.self)
    // Some models write the object's text once more as a string.
    case .string(let string): arguments = string
    case .null: arguments = "{}"
    default: return nil
    }
  }
}
