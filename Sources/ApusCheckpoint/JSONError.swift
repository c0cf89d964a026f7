/// Why a JSON text was refused, and at which byte of it.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
    case trailingBytes
    case invalidUTF8
    case invalidEscape
    case controlCharacter
    case duplicateKey(String)
    case numberOutOfRange
    case tooDeep(limit: Int)
    case tooManyValues(limit: Int)
  }

  public let offset: Int
  public let reason: Reason

  public var description: String {
    let what =
      switch reason {
      case .unexpectedEnd: "the text ends too early"
      case .unexpectedByte(let byte): "unexpected byte 0x\(String(byte, radix: 16))"
      case .trailingBytes: "more text after the value"
      case .invalidUTF8: "a string is not UTF-8"
      case .invalidEscape: "invalid escape in a string"
      case .controlCharacter: "control character in a string"
      case .duplicateKey(let key): "duplicate key \(quoted(key))"
      case .numberOutOfRange: "number too large for a double"
      case .tooDeep(let limit): "nested more than \(limit) deep"
      case .tooManyValues(let limit): "more than \(limit) values"
      }
    return "\(what) at byte \(offset)"
  }
}
