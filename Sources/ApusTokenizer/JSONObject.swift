/// A JSON object with its place in the file, so that errors name the field.
struct JSONObject {
  let path: String
  private let members: [[UInt8]: JSONValue]

  init(_ value: JSONValue, path: String) throws(TokenizerFileProblem) {
    guard case .object(let members) = value else { throw .invalidField(field: path, expected: "an object") }
    self.members = members
    self.path = path
  }

  /// The member, or nil where it is absent or null.
  subscript(name: String) -> JSONValue? {
    let value = members[Array(name.utf8)]
    return value == .null ? nil : value
  }

  func field(_ name: String) -> String { "\(path).\(name)" }

  func invalid(_ name: String, _ expected: String) -> TokenizerFileProblem {
    .invalidField(field: field(name), expected: expected)
  }

  func unsupported(_ name: String, _ value: String) -> TokenizerFileProblem {
    .unsupported(field: field(name), value: value)
  }

  func bytes(_ name: String) throws(TokenizerFileProblem) -> [UInt8] {
    guard case .string(let bytes)? = self[name] else { throw invalid(name, "a string") }
    return bytes
  }

  func string(_ name: String) throws(TokenizerFileProblem) -> String {
    try bytes(name).text
  }

  /// A string of one scalar.
  func character(_ name: String) throws(TokenizerFileProblem) -> [UInt8] {
    let bytes = try bytes(name)
    guard bytes.scalars.count == 1 else { throw invalid(name, "one character") }
    return bytes
  }

  func bool(_ name: String, default value: Bool? = nil) throws(TokenizerFileProblem) -> Bool {
    switch self[name] {
    case .bool(let bool): return bool
    case nil where value != nil: return value!
    default: throw invalid(name, "true or false")
    }
  }

  func count(_ name: String, max: Int) throws(TokenizerFileProblem) -> Int {
    guard case .integer(let count)? = self[name], 0...max ~= count else {
      throw invalid(name, "an integer in 0...\(max)")
    }
    return count
  }

  func object(_ name: String) throws(TokenizerFileProblem) -> JSONObject {
    try JSONObject(self[name] ?? .null, path: field(name))
  }

  func objects(_ name: String) throws(TokenizerFileProblem) -> [JSONObject] {
    guard case .array(let values)? = self[name] else { throw invalid(name, "an array") }
    var result: [JSONObject] = []
    for (index, value) in values.enumerated() {
      result.append(try JSONObject(value, path: "\(field(name))[\(index)]"))
    }
    return result
  }

  /// One of the raw values of an enumeration.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _: Choice.Type, default value: Choice? = nil
  ) throws(TokenizerFileProblem) -> Choice where Choice.RawValue == String {
    if self[name] == nil, let value { return value }
    guard let choice = Choice(rawValue: try string(name)) else {
      throw invalid(name, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  /// The member `pattern`: `{"Regex": ...}` or `{"String": ...}`.
  func pattern() throws(TokenizerFileProblem) -> Pattern {
    let pattern = try object("pattern")
    if pattern["Regex"] != nil { return try Pattern(try pattern.string("Regex")) }
    guard pattern["String"] != nil else { throw invalid("pattern", "a Regex or a String") }
    return try Pattern(literal: try pattern.bytes("String"))
  }
}
