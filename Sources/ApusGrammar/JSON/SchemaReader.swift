import ApusCheckpoint

/// Reads the keywords of one schema object. What combines schemas is left to `SchemaDocument`.
struct SchemaReader {
  private let members: JSONMembers
  private let pointer: JSONPointer

  /// Say nothing of what is valid.
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "example", "$schema", "$id", "$comment", "$anchor",
    "$defs",
    "definitions", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType",
    "discriminator", "externalDocs", "xml",
  ]
  /// Change what is valid, and are not done here.
  private static let unsupported: Set<String> = [
    "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies",
    "patternProperties", "propertyNames", "contains", "minContains", "maxContains", "multipleOf",
    "unevaluatedProperties", "unevaluatedItems", "additionalItems", "$dynamicRef", "$recursiveRef",
    "contentSchema",
  ]
  private static let combining: Set<String> = ["$ref", "allOf", "anyOf", "oneOf"]

  init(_ members: JSONMembers, _ pointer: JSONPointer) {
    self.members = members
    self.pointer = pointer
  }

  /// What the keywords say; nil if nothing can satisfy them.
  func facts() throws(GrammarError) -> SchemaFacts? {
    var facts = SchemaFacts()
    for index in 0..<members.count {
      let (keyword, value) = members[index]
      if Self.annotations.contains(keyword) || keyword.hasPrefix("x-") || Self.combining.contains(keyword) {
        continue
      }
      var isRead = try readAny(keyword, value, &facts)
      if !isRead { isRead = try readNumber(keyword, value, &facts) }
      if !isRead { isRead = try readString(keyword, value, &facts) }
      if !isRead { isRead = try readArray(keyword, value, &facts) }
      if !isRead { isRead = try readObject(keyword, value, &facts) }
      guard !isRead else { continue }
      let known = Self.unsupported.contains(keyword)
      throw .unsupportedKeyword(
        pointer: pointer.appending(keyword).text,
        reason: known ? "\(keyword) is not supported" : "an unknown keyword")
    }
    return try settled(facts)
  }

  private func settled(_ facts: SchemaFacts) throws(GrammarError) -> SchemaFacts? {
    var facts = facts
    // OpenAPI 3.0's way to say that a type may be null.
    if members["nullable"] == .boolean(true), facts.namesTypes { facts.types.insert(.null) }
    facts.values = facts.values.map { $0.filter { facts.types.contains($0.type) } }
    return facts.types.isEmpty || facts.values?.isEmpty == true ? nil : facts
  }

  private func invalid(_ keyword: String, _ value: JSONValue, _ expected: String) -> GrammarError {
    .invalidKeyword(pointer: pointer.appending(keyword).text, found: value.kind, expected: expected)
  }

  private func count(_ keyword: String, _ value: JSONValue) throws(GrammarError) -> Int {
    switch value {
    case .integer(let count) where count >= 0: return min(count, Int(Int32.max))
    case .number(let count) where count >= 0 && count.rounded() == count: return Int(min(count, 2e9))
    default: throw invalid(keyword, value, "an integer from 0")
    }
  }

  private func schema(_ keyword: String, _ value: JSONValue) throws(GrammarError) -> SchemaChild {
    switch value {
    case .boolean(false): return .never
    case .boolean(true): return .set(.any)
    case .object: return .set(SchemaSet([pointer.appending(keyword)]))
    default: throw invalid(keyword, value, "a schema")
    }
  }
}

// MARK: - Keywords

extension SchemaReader {
  private func readAny(
    _ keyword: String, _ value: JSONValue, _ facts: inout SchemaFacts
  ) throws(GrammarError) -> Bool {
    switch keyword {
    case "type":
      let names = if case .array(let names) = value { names } else { [value] }
      var types: JSONTypes = []
      for name in names {
        guard case .string(let text) = name, let type = JSONTypes(named: text) else {
          throw invalid(
            keyword, name, "null, boolean, integer, number, string, array or object, or an array of them")
        }
        types.formUnion(type)
      }
      facts.types = types
      facts.namesTypes = true
    case "enum":
      guard case .array(let values) = value, !values.isEmpty else {
        throw invalid(keyword, value, "an array of values, not empty")
      }
      add(values, to: &facts)
    case "const": add([value], to: &facts)
    case "nullable":
      guard case .boolean = value else { throw invalid(keyword, value, "true or false") }
    default: return false
    }
    return true
  }

  private func add(_ values: [JSONValue], to facts: inout SchemaFacts) {
    let literals = values.map { JSONLiteral($0) }
    facts.values = facts.values?.filter { literals.contains($0) } ?? literals
  }

  private func readNumber(
    _ keyword: String, _ value: JSONValue, _ facts: inout SchemaFacts
  ) throws(GrammarError) -> Bool {
    guard ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"].contains(keyword) else {
      return false
    }
    switch value {
    case .integer, .number: break
    default: throw invalid(keyword, value, "a number")
    }
    guard let number = DecimalNumber(value) else {
      throw .unsupportedKeyword(
        pointer: pointer.appending(keyword).text,
        reason: "\(value.kind) has more than \(DecimalNumber.digitsMax) digits before or after the point")
    }
    let bound = NumberBound(value: number, isExclusive: keyword.hasPrefix("exclusive"))
    if keyword.hasSuffix("inimum") {
      facts.lower = [facts.lower, bound].compactMap { $0 }.max { $0.isWeakerLower(than: $1) }
    } else {
      facts.upper = [facts.upper, bound].compactMap { $0 }.max { $0.isWeakerUpper(than: $1) }
    }
    return true
  }

  private func readString(
    _ keyword: String, _ value: JSONValue, _ facts: inout SchemaFacts
  ) throws(GrammarError) -> Bool {
    switch keyword {
    case "minLength": facts.minLength = try count(keyword, value)
    case "maxLength": facts.maxLength = try count(keyword, value)
    case "pattern":
      guard case .string(let source) = value else { throw invalid(keyword, value, "a string") }
      do {
        _ = try PatternAnchors(source: source).anywhere(try PatternParser.parse(source))
      } catch {
        throw .unsupportedKeyword(pointer: pointer.appending(keyword).text, reason: "\(error)")
      }
      facts.patterns.append(StringPattern(source: ByteString(source), isWhole: false))
    case "format":
      guard case .string(let name) = value else { throw invalid(keyword, value, "a string") }
      if let source = StringFormat.patterns[name] {
        facts.patterns.append(StringPattern(source: ByteString(source), isWhole: true))
      } else if StringFormat.unsupported.contains(name) {
        throw .unsupportedKeyword(
          pointer: pointer.appending(keyword).text, reason: "the format \(shown(name)) is not supported")
      }
    default: return false
    }
    return true
  }

  private func readArray(
    _ keyword: String, _ value: JSONValue, _ facts: inout SchemaFacts
  ) throws(GrammarError) -> Bool {
    switch keyword {
    case "items": facts.items = try schema(keyword, value)
    case "prefixItems":
      guard case .array(let schemas) = value else { throw invalid(keyword, value, "an array of schemas") }
      facts.prefixItems = schemas.indices.map {
        .set(SchemaSet([pointer.appending(keyword).appending($0)]))
      }
    case "minItems": facts.minItems = try count(keyword, value)
    case "maxItems": facts.maxItems = try count(keyword, value)
    case "uniqueItems":
      guard value == .boolean(false) else {
        throw .unsupportedKeyword(
          pointer: pointer.appending(keyword).text, reason: "uniqueItems is not supported")
      }
    default: return false
    }
    return true
  }

  private func readObject(
    _ keyword: String, _ value: JSONValue, _ facts: inout SchemaFacts
  ) throws(GrammarError) -> Bool {
    switch keyword {
    case "properties":
      guard case .object(let schemas) = value else { throw invalid(keyword, value, "an object of schemas") }
      for index in 0..<schemas.count {
        let (name, schema) = schemas[index]
        let place = pointer.appending(keyword).appending(name)
        let child: SchemaChild = schema == .boolean(false) ? .never : .set(SchemaSet([place]))
        facts.properties.append(SchemaFacts.Property(name: ByteString(name), child: child))
      }
    case "required":
      guard case .array(let names) = value else { throw invalid(keyword, value, "an array of strings") }
      for name in names {
        guard case .string(let text) = name else { throw invalid(keyword, name, "strings") }
        if !facts.required.contains(ByteString(text)) { facts.required.append(ByteString(text)) }
      }
    case "additionalProperties": facts.additional = try schema(keyword, value)
    case "minProperties":
      // Names that come twice would have to be told from others.
      guard try count(keyword, value) <= requiredCount else {
        throw .unsupportedKeyword(
          pointer: pointer.appending(keyword).text,
          reason: "minProperties above the number of required properties is not supported")
      }
    case "maxProperties":
      guard try count(keyword, value) >= propertyCount, members["additionalProperties"] == .boolean(false)
      else {
        throw .unsupportedKeyword(
          pointer: pointer.appending(keyword).text,
          reason: "maxProperties is not supported but where additionalProperties is false and it says nothing"
        )
      }
    default: return false
    }
    return true
  }

  private var requiredCount: Int {
    guard case .array(let names) = members["required"] else { return 0 }
    return Set(names.map(\.spelled)).count
  }

  private var propertyCount: Int {
    guard case .object(let schemas) = members["properties"] else { return 0 }
    return schemas.count
  }
}
