/// A place in a JSON text (RFC 6901). Compared by its bytes.
struct JSONPointer: Hashable, Comparable {
  /// As in a URI fragment without the percent signs: "/properties/a~1b".
  private(set) var bytes: [UInt8] = []

  static let root = JSONPointer()

  private init() {}

  /// Reads a reference inside the document: "#", "#/$defs/name", percent signs undone. nil for any other.
  init?(fragment: String) {
    guard fragment.utf8.first == UInt8(ascii: "#") else { return nil }
    var rest = fragment.utf8.dropFirst()
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard bytes.isEmpty || bytes[0] == UInt8(ascii: "/") else { return nil }
  }

  static func < (left: JSONPointer, right: JSONPointer) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  func appending(_ token: String) -> JSONPointer {
    var result = self
    result.bytes.append(UInt8(ascii: "/"))
    for byte in token.utf8 {
      switch byte {
      case UInt8(ascii: "~"): result.bytes += Array("~0".utf8)
      case UInt8(ascii: "/"): result.bytes += Array("~1".utf8)
      default: result.bytes.append(byte)
      }
    }
    return result
  }

  func appending(_ index: Int) -> JSONPointer { appending("\(index)") }

  var tokens: [String] {
    bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst().map { token in
      String(decoding: token, as: UTF8.self).replacing("~1", with: "/").replacing("~0", with: "~")
    }
  }

  var text: String { "#" + String(decoding: bytes, as: UTF8.self) }
}
