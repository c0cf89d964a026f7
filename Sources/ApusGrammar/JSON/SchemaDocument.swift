import ApusCheckpoint

/// A JSON schema (draft 2020-12), read place by place as a grammar needs it.
struct SchemaDocument {
  /// `$ref`, `allOf`, `anyOf` and `oneOf` within each other, without a value between.
  private static let depthMax = 64

  private let root: JSONValue
  private var known: [JSONPointer: [SchemaFacts]] = [:]
  private var open: [JSONPointer] = []

  init(_ root: JSONValue) { self.root = root }

  /// The ways to satisfy all parts of `set`; none if nothing can.
  mutating func alternatives(of set: SchemaSet) throws(GrammarError) -> [SchemaFacts] {
    var result = [SchemaFacts()]
    for pointer in set.pointers {
      result = try intersection(result, try alternatives(at: pointer), pointer)
    }
    return result
  }

  private func intersection(
    _ left: [SchemaFacts], _ right: [SchemaFacts], _ pointer: JSONPointer
  ) throws(GrammarError) -> [SchemaFacts] {
    guard left.count * right.count <= GrammarLimits.alternatives else {
      throw .limitExceeded(
        what: "schema \(shown(pointer.text)): \(left.count * right.count) combinations of its alternatives",
        limit: GrammarLimits.alternatives)
    }
    return left.flatMap { left in right.compactMap { left.intersection($0) } }
  }

  private mutating func alternatives(at pointer: JSONPointer) throws(GrammarError) -> [SchemaFacts] {
    if let known = known[pointer] { return known }
    guard !open.contains(pointer) else {
      throw .unsupportedKeyword(pointer: pointer.text, reason: "it refers to itself with no value between")
    }
    guard open.count < Self.depthMax else {
      throw .limitExceeded(
        what: "schema \(shown(pointer.text)): references and alternatives within each other",
        limit: Self.depthMax)
    }
    guard known.count < GrammarLimits.schemaPlaces else {
      throw .limitExceeded(what: "a schema of many places", limit: GrammarLimits.schemaPlaces)
    }
    open.append(pointer)
    defer { open.removeLast() }
    let result: [SchemaFacts]
    switch value(at: pointer) {
    case .boolean(true): result = [SchemaFacts()]
    case .boolean(false): result = []
    case .object(let members): result = try alternatives(members, pointer)
    case nil:
      throw .invalidKeyword(
        pointer: pointer.text, found: "nothing", expected: "the schema that is referred to")
    case let value?:
      throw .invalidKeyword(pointer: pointer.text, found: value.kind, expected: "an object or a boolean")
    }
    known[pointer] = result
    return result
  }

  private mutating func alternatives(
    _ members: JSONMembers, _ pointer: JSONPointer
  ) throws(GrammarError) -> [SchemaFacts] {
    guard let own = try SchemaReader(members, pointer).facts() else { return [] }
    var result = [own]
    if let reference = members["$ref"] {
      let place = pointer.appending("$ref")
      guard case .string(let text) = reference else {
        throw .invalidKeyword(pointer: place.text, found: reference.kind, expected: "a string")
      }
      guard let target = JSONPointer(fragment: text) else {
        throw .unsupportedKeyword(
          pointer: place.text, reason: "\(shown(text)) is not in the schema; expected \"#\" or \"#/...\"")
      }
      result = try intersection(result, try alternatives(at: target), place)
    }
    for index in 0..<(try parts("allOf", members, pointer)) {
      let part = pointer.appending("allOf").appending(index)
      result = try intersection(result, try alternatives(at: part), part)
    }
    for keyword in ["anyOf", "oneOf"] where members[keyword] != nil {
      let place = pointer.appending(keyword)
      var ways: [SchemaFacts] = []
      for index in 0..<(try parts(keyword, members, pointer)) {
        ways += try alternatives(at: place.appending(index)).filter { !ways.contains($0) }
      }
      result = try intersection(result, ways, place)
    }
    return result
  }

  /// How many schemas the keyword lists.
  private func parts(
    _ keyword: String, _ members: JSONMembers, _ pointer: JSONPointer
  ) throws(GrammarError) -> Int {
    guard let value = members[keyword] else { return 0 }
    guard case .array(let parts) = value, !parts.isEmpty else {
      throw .invalidKeyword(
        pointer: pointer.appending(keyword).text, found: value.kind,
        expected: "an array of schemas, not empty")
    }
    return parts.count
  }

  private func value(at pointer: JSONPointer) -> JSONValue? {
    var value = root
    for token in pointer.tokens {
      switch value {
      case .object(let members):
        guard let member = members[token] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Int(token), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }
}

extension JSONValue {
  /// For messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let text): shown(text)
    case .array(let values): "an array of \(values.count)"
    case .object(let members): "an object of \(members.count)"
    }
  }
}
