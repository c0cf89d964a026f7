package import ApusCheckpoint

/// The members of a JSON object that a client sent, read through getters that check types.
///
/// A member whose value is `null` counts as absent, as clients write out what was not set. Every refusal is a
/// 400 that names the field, what was found and what was expected.
package struct RequestFields: Sendable, Equatable {
  package let members: JSONMembers
  /// Where in the body: empty for the outermost object, else the path of fields with dots between.
  package let path: String

  package init(_ members: JSONMembers, path: String = "") {
    self.members = members
    self.path = path
  }

  /// The object that fills a body.
  package init(parsing body: UnsafeRawBufferPointer) throws(APIError) {
    let value: JSONValue
    do { value = try JSONValue(parsing: body, file: "body") } catch {
      if case .malformedJSON(_, let reason) = error {
        throw .invalid(nil, "the body is not valid JSON: \(reason)", code: "invalid_json")
      }
      throw .invalid(nil, "the body is not valid JSON: \(error)", code: "invalid_json")
    }
    guard case .object(let members) = value else {
      throw .invalid(nil, "the body is \(value.summary), expected a JSON object", code: "invalid_json")
    }
    self.init(members)
  }

  package subscript(key: String) -> JSONValue? {
    guard let value = members[key], value != .null else { return nil }
    return value
  }

  /// The field's path from the outermost object.
  package func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  package func invalid(_ key: String, expected: String) -> APIError {
    .invalid(name(key), "\(name(key)) is \(members[key]?.summary ?? "missing"), expected \(expected)")
  }

  /// Refuses fields that nothing here reads: one that is misspelt would silently do nothing.
  package func refuse(otherThan known: Set<String>) throws(APIError) {
    for key in members.keys where !known.contains(key) && self[key] != nil {
      throw .invalid(
        path.isEmpty ? String(key.prefix(80)) : "\(path).\(key.prefix(80))",
        "unknown or unsupported field \(quoted(path.isEmpty ? key : "\(path).\(key)"))",
        code: "unsupported_field")
    }
  }
}

extension RequestFields {
  package func integer(
    _ key: String, in range: ClosedRange<Int> = Int.min...Int.max
  ) throws(APIError) -> Int? {
    guard let value = self[key] else { return nil }
    guard case .integer(let integer) = value, range.contains(integer) else {
      throw invalid(key, expected: Self.describe(range))
    }
    return integer
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): "an integer"
    case (let low, .max): "an integer of at least \(low)"
    case (let low, let high): "an integer in \(low)...\(high)"
    }
  }

  /// A finite number, written as an integer or not.
  package func number(_ key: String) throws(APIError) -> Double? {
    switch self[key] {
    case nil: return nil
    case .integer(let integer): return Double(integer)
    case .number(let number): return number
    default: throw invalid(key, expected: "a number")
    }
  }

  package func boolean(_ key: String) throws(APIError) -> Bool? {
    guard let value = self[key] else { return nil }
    guard case .boolean(let boolean) = value else { throw invalid(key, expected: "true or false") }
    return boolean
  }

  package func string(_ key: String) throws(APIError) -> String? {
    guard let value = self[key] else { return nil }
    guard case .string(let string) = value else { throw invalid(key, expected: "a string") }
    return string
  }

  package func array(_ key: String) throws(APIError) -> [JSONValue]? {
    guard let value = self[key] else { return nil }
    guard case .array(let values) = value else { throw invalid(key, expected: "an array") }
    return values
  }

  package func object(_ key: String) throws(APIError) -> RequestFields? {
    guard let value = self[key] else { return nil }
    guard case .object(let members) = value else { throw invalid(key, expected: "an object") }
    return RequestFields(members, path: name(key))
  }

  package func strings(_ key: String) throws(APIError) -> [String]? {
    guard let values = try array(key) else { return nil }
    var strings: [String] = []
    for value in values {
      guard case .string(let string) = value else { throw invalid(key, expected: "an array of strings") }
      strings.append(string)
    }
    return strings
  }

  /// Whether the model has these tokens is for who knows the model.
  package func tokenIDs(_ key: String) throws(APIError) -> [Int32]? {
    guard let values = try array(key) else { return nil }
    guard let ids = values.tokenIDs else { throw invalid(key, expected: "an array of token ids") }
    return ids
  }
}

extension [JSONValue] {
  /// These values as token ids; nil if one is none.
  var tokenIDs: [Int32]? {
    var ids: [Int32] = []
    ids.reserveCapacity(count)
    for value in self {
      guard case .integer(let integer) = value, let id = Int32(exactly: integer), id >= 0 else { return nil }
      ids.append(id)
    }
    return ids
  }
}
