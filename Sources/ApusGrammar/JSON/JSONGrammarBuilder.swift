import ApusCheckpoint

/// Writes down the JSON texts that satisfy a schema.
///
/// Each object, array and string is a rule, made once for what is said of it, wherever it stands: so schemas
/// that refer to themselves end. Numbers and literals stand where the value stands.
struct JSONGrammarBuilder {
  /// What is said of an array.
  struct ArraySpec: Hashable {
    var prefix: [SchemaSet]
    /// nil: nothing after the prefix.
    var items: SchemaSet?
    var min: Int
    var max: Int?
  }

  /// What is said of an object.
  struct ObjectSpec: Hashable {
    struct Property: Hashable {
      var name: ByteString
      var value: SchemaSet
      var isRequired: Bool
    }
    var properties: [Property]
    /// What other properties must be; nil: there are none.
    var additional: SchemaSet?
    /// No others may have these names.
    var reserved: [ByteString]
  }

  enum RuleKey: Hashable {
    case string(StringSpec)
    case literal(ByteString)
    case name(except: [ByteString])
    case array(ArraySpec)
    case object(ObjectSpec)
    case container(JSONLiteral)
  }

  var grammar = Grammar()
  private(set) var schema: SchemaDocument
  private let whitespace: JSONWhitespace
  private var rules: [RuleKey: Int32] = [:]
  /// Rules whose states are still to be made.
  private var open: [(RuleKey, rule: Int32, start: Int32)] = []

  private init(_ schema: SchemaDocument, _ whitespace: JSONWhitespace) {
    self.schema = schema
    self.whitespace = whitespace
  }

  /// - Parameter objectsOnly: the text is an object whatever the schema says.
  static func grammar(
    for schema: JSONValue, whitespace: JSONWhitespace, objectsOnly: Bool = false
  ) throws(GrammarError) -> Grammar {
    try whitespace.validate()
    var builder = JSONGrammarBuilder(SchemaDocument(schema), whitespace)
    let start = try builder.grammar.addState()
    let end = try builder.grammar.addState()
    builder.grammar.start = start
    builder.grammar.accept(at: end)
    if objectsOnly {
      var facts = SchemaFacts()
      facts.types = .object
      try builder.addValue(facts, from: start, to: end)
    } else {
      try builder.addValue(SchemaSet([.root]), from: start, to: end)
    }
    var next = 0
    while next < builder.open.count {
      let (key, rule, first) = builder.open[next]
      next += 1
      switch key {
      case .array(let spec): try builder.fill(spec, rule, first)
      case .object(let spec): try builder.fill(spec, rule, first)
      case .container(let literal): try builder.fill(literal, rule, first)
      case .string, .literal, .name: break
      }
    }
    return builder.grammar
  }

  mutating func rule(for key: RuleKey) throws(GrammarError) -> Int32 {
    if let known = rules[key] { return known }
    let rule: Int32
    switch key {
    case .string(let spec): rule = try grammar.addStringRule(spec)
    case .literal(let text): rule = try grammar.addJSONStringRule(literal: text.text)
    case .name(let names): rule = try grammar.addJSONNameRule(except: names)
    case .array, .object, .container:
      let start = try grammar.addState()
      let isObject: Bool
      switch key {
      case .object: isObject = true
      case .container(let literal): isObject = literal.type == .object
      default: isObject = false
      }
      rule = grammar.addRule(isObject ? .object : .array, start: start)
      open.append((key, rule, start))
    }
    rules[key] = rule
    return rule
  }

  // MARK: Values

  mutating func addValue(_ set: SchemaSet, from source: Int32, to target: Int32) throws(GrammarError) {
    for facts in try schema.alternatives(of: set) { try addValue(facts, from: source, to: target) }
  }

  private mutating func addValue(
    _ facts: SchemaFacts, from source: Int32, to target: Int32
  ) throws(GrammarError) {
    if let values = facts.values {
      for value in values where try facts.admits(value) {
        try addValue(value, from: source, to: target)
      }
      return
    }
    let types = facts.effectiveTypes
    if types.contains(.null) { try grammar.addBytes("null".utf8, from: source, to: target) }
    if types.contains(.boolean) {
      try grammar.addBytes("true".utf8, from: source, to: target)
      try grammar.addBytes("false".utf8, from: source, to: target)
    }
    if types.contains(.integer) || types.contains(.fraction) {
      // Numbers that are no integers alone are what is left of a number: integers are spelled as one there
      // too.
      try grammar.addNumber(
        isInteger: !types.contains(.fraction), lower: facts.lower, upper: facts.upper, from: source,
        to: target)
    }
    if types.contains(.string), let spec = StringSpec(facts) {
      grammar.addCall(try rule(for: .string(spec)), from: source, to: target)
    }
    if types.contains(.array), let spec = facts.array {
      grammar.addCall(try rule(for: .array(spec)), from: source, to: target)
    }
    if types.contains(.object), let spec = facts.object {
      grammar.addCall(try rule(for: .object(spec)), from: source, to: target)
    }
  }

  private mutating func addValue(
    _ literal: JSONLiteral, from source: Int32, to target: Int32
  ) throws(GrammarError) {
    switch literal.value {
    case .null, .boolean, .integer, .number:
      try grammar.addBytes(literal.spelled, from: source, to: target)
    case .string(let text):
      grammar.addCall(try rule(for: .literal(ByteString(text))), from: source, to: target)
    case .array, .object:
      grammar.addCall(try rule(for: .container(literal)), from: source, to: target)
    }
  }

  // MARK: Rules

  private mutating func fill(_ spec: ArraySpec, _ rule: Int32, _ start: Int32) throws(GrammarError) {
    let opened = try addSpace(from: start, isSeparator: false)
    var state = opened
    let fixed = max(spec.prefix.count, spec.min)
    let last = min(spec.max ?? fixed, spec.items == nil ? spec.prefix.count : .max)
    for index in 0...last {
      if index >= spec.min { try addEnd(of: rule, from: state, isEmpty: index == 0) }
      guard index < last, let element = index < spec.prefix.count ? spec.prefix[index] : spec.items else {
        break
      }
      let next = try grammar.addState()
      let first = index == 0 ? state : try addComma(from: state)
      try addValue(element, from: first, to: next)
      state = next
    }
    guard spec.max == nil, let items = spec.items else { return }
    // Any number of items after the first ones.
    let more = try grammar.addState()
    let first = last == 0 ? state : try addComma(from: state)
    try addValue(items, from: first, to: more)
    try addEnd(of: rule, from: more)
    try addValue(items, from: try addComma(from: more), to: more)
  }

  /// Properties come in the schema's order, additional ones after them.
  private mutating func fill(_ spec: ObjectSpec, _ rule: Int32, _ start: Int32) throws(GrammarError) {
    // Before each property: nothing came yet; a comma may come; a comma came.
    var first = try addSpace(from: start, isSeparator: false)
    var between = try grammar.addState()
    var after = try addComma(from: between)
    for property in spec.properties {
      let key = try self.rule(for: .literal(property.name))
      let colon = try grammar.addState()
      grammar.addCall(key, from: first, to: colon)
      grammar.addCall(key, from: after, to: colon)
      let done = try grammar.addState()
      try addValue(property.value, from: try addColon(from: colon), to: done)
      let nextAfter = try addComma(from: done)
      if !property.isRequired {
        let skipped = try grammar.addState()
        grammar.addChoice(from: first, to: skipped)
        first = skipped
        grammar.addChoice(from: between, to: done)
        grammar.addChoice(from: after, to: nextAfter)
      } else {
        first = try grammar.addState()
      }
      between = done
      after = nextAfter
    }
    try addEnd(of: rule, from: first, isEmpty: true)
    try addEnd(of: rule, from: between)
    guard let additional = spec.additional else { return }
    let key = try self.rule(for: .name(except: spec.reserved))
    let colon = try grammar.addState()
    grammar.addCall(key, from: first, to: colon)
    grammar.addCall(key, from: after, to: colon)
    try addValue(additional, from: try addColon(from: colon), to: between)
  }

  private mutating func fill(_ literal: JSONLiteral, _ rule: Int32, _ start: Int32) throws(GrammarError) {
    var state = try addSpace(from: start, isSeparator: false)
    func values(_ index: Int) -> JSONValue? {
      switch literal.value {
      case .array(let values): index < values.count ? values[index] : nil
      case .object(let members): index < members.count ? members[index].value : nil
      default: nil
      }
    }
    var index = 0
    while let value = values(index) {
      if index > 0 { state = try addComma(from: state) }
      if case .object(let members) = literal.value {
        let colon = try grammar.addState()
        grammar.addCall(
          try self.rule(for: .literal(ByteString(members[index].key))), from: state, to: colon)
        state = try addColon(from: colon)
      }
      let next = try grammar.addState()
      try addValue(JSONLiteral(value), from: state, to: next)
      state = next
      index += 1
    }
    try addEnd(of: rule, from: state, isEmpty: index == 0)
  }

  // MARK: Punctuation

  private mutating func addComma(from source: Int32) throws(GrammarError) -> Int32 {
    try addSpace(from: try grammar.addBytes(",".utf8, from: source), isSeparator: true)
  }

  private mutating func addColon(from source: Int32) throws(GrammarError) -> Int32 {
    try addSpace(from: try grammar.addBytes(":".utf8, from: source), isSeparator: true)
  }

  /// - Parameter isEmpty: nothing came; white space came already.
  private mutating func addEnd(
    of rule: Int32, from source: Int32, isEmpty: Bool = false
  ) throws(GrammarError) {
    grammar.finish(rule, at: isEmpty ? source : try addSpace(from: source, isSeparator: false))
  }

  /// The state after white space, which may be none.
  private mutating func addSpace(from source: Int32, isSeparator: Bool) throws(GrammarError) -> Int32 {
    let end = try grammar.addState()
    grammar.addChoice(from: source, to: end)
    switch whitespace {
    case .none: break
    case .separators: if isSeparator { grammar.addEdge(0x20, from: source, to: end) }
    case .upTo(let count):
      var state = source
      for _ in 0..<count {
        let next = try grammar.addState()
        for byte: UInt8 in [0x20, 0x09, 0x0A, 0x0D] { grammar.addEdge(byte, from: state, to: next) }
        grammar.addChoice(from: next, to: end)
        state = next
      }
    }
    return end
  }
}
