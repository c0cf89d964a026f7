/// Why a constraint cannot be compiled. Nothing was kept of it.
public enum GrammarError: Error, Sendable, Equatable, CustomStringConvertible {
  /// - Parameter offset: in Unicode scalars from the pattern's beginning.
  case invalidPattern(pattern: String, offset: Int, reason: String)
  /// What the pattern asks for changes its meaning and is not done here.
  case unsupportedPattern(pattern: String, offset: Int, feature: String)
  /// The schema is no JSON text.
  case malformedSchema(String)
  /// - Parameter pointer: where in the schema (RFC 6901), as a URI fragment.
  case invalidKeyword(pointer: String, found: String, expected: String)
  /// A keyword, or a value of one, that changes the schema's meaning and is not done here.
  case unsupportedKeyword(pointer: String, reason: String)
  /// No text satisfies the constraint.
  case unsatisfiable(String)
  /// - Parameters:
  ///   - what: what there is too much of, and where.
  ///   - limit: the most there may be.
  case limitExceeded(what: String, limit: Int)
  case invalidOption(field: String, value: String, expected: String)
  /// The vocabulary's tokens spell no text that satisfies the constraint: these bytes have no token of their
  /// own.
  case unspellable(missing: [UInt8])

  public var description: String {
    switch self {
    case .invalidPattern(let pattern, let offset, let reason):
      "pattern \(shown(pattern)), offset \(offset): \(reason)"
    case .unsupportedPattern(let pattern, let offset, let feature):
      "pattern \(shown(pattern)), offset \(offset): \(feature) is not supported"
    case .malformedSchema(let reason): "the schema is no JSON text: \(reason)"
    case .invalidKeyword(let pointer, let found, let expected):
      "schema \(shown(pointer)): \(found), expected \(expected)"
    case .unsupportedKeyword(let pointer, let reason): "schema \(shown(pointer)): \(reason)"
    case .unsatisfiable(let what): "no text satisfies \(what)"
    case .limitExceeded(let what, let limit): "\(what), expected at most \(limit)"
    case .invalidOption(let field, let value, let expected): "\(field) is \(value), expected \(expected)"
    case .unspellable(let missing):
      "the vocabulary spells no text that satisfies the constraint: it has no token for "
        + missing.prefix(8).map { "0x" + String($0, radix: 16, uppercase: true) }.joined(separator: ", ")
        + (missing.count > 8 ? " and \(missing.count - 8) more bytes" : "")
    }
  }
}

/// Text from outside as a message may show it: quoted, on one line, 80 characters at most.
func shown(_ text: String) -> String {
  let clipped = text.unicodeScalars.prefix(80)
  let escaped = clipped.map { $0.escaped(asASCII: false) }.joined()
  return "\"\(escaped)\(clipped.endIndex < text.unicodeScalars.endIndex ? "…" : "")\""
}
