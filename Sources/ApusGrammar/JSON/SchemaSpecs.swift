import ApusCheckpoint

/// What is said of a string.
struct StringSpec: Hashable {
  var min: Int
  var max: Int?
  var patterns: [StringPattern]

  /// nil if no string can satisfy the facts.
  init?(_ facts: SchemaFacts) {
    min = facts.minLength
    max = facts.maxLength
    patterns = facts.patterns
    if let max, max < min { return nil }
  }
}

extension SchemaFacts {
  /// What is said of an array; nil if no array can satisfy it.
  var array: JSONGrammarBuilder.ArraySpec? {
    var prefix: [SchemaSet] = []
    // Without `items`, nothing is meant to follow what `prefixItems` lists.
    var rest = items ?? (prefixItems.isEmpty ? .set(.any) : .never)
    for item in prefixItems {
      guard case .set(let set) = item else {
        rest = .never
        break
      }
      prefix.append(set)
    }
    let items: SchemaSet? = if case .set(let set) = rest { set } else { nil }
    if let maxItems { prefix = Array(prefix.prefix(maxItems)) }
    let most = items == nil ? min(maxItems ?? .max, prefix.count) : maxItems
    guard minItems <= most ?? .max else { return nil }
    return JSONGrammarBuilder.ArraySpec(prefix: prefix, items: items, min: minItems, max: most)
  }

  /// What is said of an object; nil if no object can satisfy it.
  var object: JSONGrammarBuilder.ObjectSpec? {
    // Without `additionalProperties`, an object that has `properties` is meant to have those alone.
    let rest = additional ?? (properties.isEmpty ? .set(.any) : .never)
    var spec = JSONGrammarBuilder.ObjectSpec(properties: [], additional: nil, reserved: [])
    for property in properties {
      let isRequired = required.contains(property.name)
      switch property.child {
      case .never: if isRequired { return nil }
      case .set(let set):
        spec.properties.append(.init(name: property.name, value: set, isRequired: isRequired))
      }
    }
    let names = Set(properties.map(\.name))
    for name in required where !names.contains(name) {
      // Forbidden only where the schema says so.
      guard case .set(let set) = additional ?? .set(.any) else { return nil }
      spec.properties.append(.init(name: name, value: set, isRequired: true))
    }
    if case .set(let set) = rest {
      spec.additional = set
      spec.reserved = properties.map(\.name) + spec.properties.map(\.name).filter { !names.contains($0) }
    }
    return spec
  }

  /// Whether a value of `enum` or `const` satisfies the other facts.
  /// - Throws: `.unsupportedKeyword` where the answer would need the schemas of a value's parts.
  func admits(_ literal: JSONLiteral) throws(GrammarError) -> Bool {
    guard types.contains(literal.type) else { return false }
    switch literal.value {
    case .null, .boolean: return true
    case .integer, .number:
      guard lower != nil || upper != nil else { return true }
      guard let number = DecimalNumber(literal.value) else {
        throw .unsupportedKeyword(
          pointer: "#", reason: "bounds beside the value \(literal.value.kind) are not supported")
      }
      return lower?.allows(above: number) ?? true && upper?.allows(below: number) ?? true
    case .string(let text):
      let length = text.unicodeScalars.count
      guard length >= minLength, length <= maxLength ?? .max else { return false }
      for pattern in patterns where try !pattern.matches(text) { return false }
      return true
    case .array, .object:
      let isBare =
        prefixItems.isEmpty && items == nil && minItems == 0 && maxItems == nil && properties.isEmpty
        && required.isEmpty && additional == nil
      guard isBare else {
        throw .unsupportedKeyword(
          pointer: "#",
          reason: "schemas of the parts of \(literal.value.kind) beside enum or const are not supported")
      }
      return true
    }
  }
}
