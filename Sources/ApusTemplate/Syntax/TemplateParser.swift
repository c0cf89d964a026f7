/// Reads tokens into a syntax tree, by Jinja's grammar. What Jinja has and the renderer has not is refused here,
/// with its name and line, so that a template that was read is rendered as Jinja would.
struct TemplateParser {
  private let tokens: [TemplateToken]
  private var position = 0
  private let depthMax: Int
  private var depth = 0

  /// Loops around what is read, and whether `break` may leave the innermost.
  var loopDepth = 0
  var mayLeaveLoop = false
  /// Tags `if` and conditional expressions around what is read.
  var conditionDepth = 0
  /// Names that the template assigns to somewhere.
  var assignedNames: Set<String> = []
  /// Global names that the renderer has not, where they are used.
  var globalUses: [(name: String, line: Int)] = []
  /// For each macro around what is read, the special names its body uses.
  var specialUses: [Set<String>] = []

  static func parse(_ source: TemplateText, limits: TemplateLimits) throws(TemplateError) -> [Statement] {
    guard source.bytes.count <= limits.sourceByteCountMax else {
      throw .tooLarge(byteCount: source.bytes.count, limit: limits.sourceByteCountMax)
    }
    var parser = TemplateParser(
      tokens: try TemplateLexer.tokens(source), depthMax: min(limits.depthMax, sourceDepthMax))
    let statements = try parser.statements(until: [])
    for use in parser.globalUses where !parser.assignedNames.contains(use.name) {
      throw .unsupported(line: use.line, feature: "'\(use.name)'")
    }
    return statements
  }

  /// Deeper than people write, shallow enough for every thread's stack.
  static let sourceDepthMax = 48

  private init(tokens: [TemplateToken], depthMax: Int) {
    self.tokens = tokens
    self.depthMax = depthMax
  }

  // MARK: Tokens

  var current: TemplateToken { tokens[position] }
  var line: Int { current.line }
  var following: TemplateToken { tokens[min(position + 1, tokens.count - 1)] }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  func syntax(_ reason: String) -> TemplateError { .syntax(line: line, reason: reason) }

  func expected(_ what: String) -> TemplateError { syntax("expected \(what), found \(current.summary)") }

  func isSymbol(_ symbol: TemplateToken.Symbol) -> Bool { current.kind == .symbol(symbol) }
  func isName(_ name: String) -> Bool { current.kind == .name(name) }

  mutating func skip(_ symbol: TemplateToken.Symbol) -> Bool {
    guard isSymbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard isName(name) else { return false }
    advance()
    return true
  }

  mutating func expect(_ symbol: TemplateToken.Symbol) throws(TemplateError) {
    guard skip(symbol) else { throw expected("'\(symbol.rawValue)'") }
  }

  mutating func expectName() throws(TemplateError) -> String {
    guard case .name(let name) = current.kind else { throw expected("a name") }
    advance()
    return name
  }

  mutating func expect(_ kind: TemplateToken.Kind, _ what: String) throws(TemplateError) {
    guard current.kind == kind else { throw expected(what) }
    advance()
  }

  /// Reads something one level deeper.
  mutating func deeper<Result>(
    _ read: (inout TemplateParser) throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    guard depth < depthMax else { throw .tooDeep(line: line, limit: depthMax) }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  /// Chains that grow to the left (`a.b.c`, `a|b|c`) are as deep as they are long.
  func checkChain(_ length: Int) throws(TemplateError) {
    guard depth + length < depthMax else { throw .tooDeep(line: line, limit: depthMax) }
  }
}

// MARK: - Statements

extension TemplateParser {
  /// Statements up to a tag that begins with one of `ends`, whose name is then the current token.
  mutating func statements(until ends: Set<String>) throws(TemplateError) -> [Statement] {
    try deeper { (parser) throws(TemplateError) in
      var statements: [Statement] = []
      while true {
        let line = parser.line
        switch parser.current.kind {
        case .data(let text):
          statements.append(Statement(kind: .text(text), line: line))
          parser.advance()
        case .variableBegin:
          parser.advance()
          statements.append(Statement(kind: .output([try parser.tupleExpression()]), line: line))
          try parser.expect(.variableEnd, "'}}'")
        case .blockBegin:
          parser.advance()
          if case .name(let name) = parser.current.kind, ends.contains(name) { return statements }
          statements.append(try parser.statement(ends))
          try parser.expect(.blockEnd, "'%}'")
        default:
          guard ends.isEmpty else {
            throw parser.expected(ends.sorted().map { "'\($0)'" }.joined(separator: " or "))
          }
          return statements
        }
      }
    }
  }

  /// The body of a block, from the end of its first tag up to one of `ends`.
  mutating func body(until ends: Set<String>) throws(TemplateError) -> [Statement] {
    _ = skip(.colon)
    try expect(.blockEnd, "'%}'")
    return try statements(until: ends)
  }

  /// As `body(until:)`, and past the name of the tag that ends it.
  mutating func body(upTo end: String) throws(TemplateError) -> [Statement] {
    let body = try body(until: [end])
    advance()
    return body
  }

  /// A body in a function of its own, which no `break` leaves.
  private mutating func closedBody(upTo end: String) throws(TemplateError) -> [Statement] {
    let outer = mayLeaveLoop
    mayLeaveLoop = false
    defer { mayLeaveLoop = outer }
    return try body(upTo: end)
  }

  private mutating func statement(_ ends: Set<String>) throws(TemplateError) -> Statement {
    let line = line
    let name = try expectName()
    let kind: Statement.Kind
    switch name {
    case "if": kind = try conditional()
    case "for": kind = try loop()
    case "set": kind = try assignment()
    case "macro": kind = try macro()
    case "call": kind = try callBlock()
    case "filter":
      let filter = try filters(on: nil, isInline: true)
      kind = .filter(filter, body: try closedBody(upTo: "endfilter"))
    case "with": kind = try with()
    case "print": kind = .output(try printed())
    case "generation": kind = .scope(try closedBody(upTo: "endgeneration"))
    case "break", "continue":
      guard mayLeaveLoop else { throw .syntax(line: line, reason: "'\(name)' outside a loop") }
      kind = name == "break" ? .breakLoop : .continueLoop
    case let name where UnsupportedName.statements.contains(name):
      throw .unsupported(line: line, feature: "the tag '\(name)'")
    default:
      let wanted = ends.isEmpty ? "" : "; expected \(ends.sorted().joined(separator: " or "))"
      throw .syntax(line: line, reason: "unknown tag '\(name)'\(wanted)")
    }
    return Statement(kind: kind, line: line)
  }

  private mutating func conditional() throws(TemplateError) -> Statement.Kind {
    var branches: [(test: Expression, body: [Statement])] = []
    conditionDepth += 1
    defer { conditionDepth -= 1 }
    while true {
      let test = try tupleExpression(withConditional: false)
      branches.append((test, try body(until: ["elif", "else", "endif"])))
      let name = try expectName()
      if name == "elif" { continue }
      return .conditional(branches, otherwise: name == "else" ? try body(upTo: "endif") : [])
    }
  }

  private mutating func loop() throws(TemplateError) -> Statement.Kind {
    loopDepth += 1
    defer { loopDepth -= 1 }
    let target = try target(end: "in", withNamespace: false)
    guard skip(name: "in") else { throw expected("'in'") }
    let iterable = try tupleExpression(withConditional: false, end: "recursive")
    let test = skip(name: "if") ? try expression() : nil
    guard !isName("recursive") else { throw .unsupported(line: line, feature: "a recursive loop") }
    let outer = mayLeaveLoop
    mayLeaveLoop = true
    let body = try body(until: ["endfor", "else"])
    mayLeaveLoop = outer
    let otherwise = try expectName() == "else" ? try self.body(upTo: "endfor") : []
    return .loop(Loop(target: target, iterable: iterable, test: test, body: body, otherwise: otherwise))
  }

  private mutating func assignment() throws(TemplateError) -> Statement.Kind {
    let target = try target(end: nil, withNamespace: true)
    if skip(.assign) { return .assign(target, try tupleExpression()) }
    let filter = isSymbol(.pipe) ? try filters(on: nil, isInline: false) : nil
    return .assignBlock(target, filter: filter, body: try closedBody(upTo: "endset"))
  }

  private mutating func with() throws(TemplateError) -> Statement.Kind {
    var bindings: [(target: Target, value: Expression)] = []
    while current.kind != .blockEnd {
      if !bindings.isEmpty { try expect(.comma) }
      let target = try target(end: nil, withNamespace: false)
      try expect(.assign)
      bindings.append((target, try expression()))
    }
    return .with(bindings, body: try body(upTo: "endwith"))
  }

  private mutating func printed() throws(TemplateError) -> [Expression] {
    var values: [Expression] = []
    while current.kind != .blockEnd {
      if !values.isEmpty { try expect(.comma) }
      values.append(try expression())
    }
    return values
  }

  private mutating func macro() throws(TemplateError) -> Statement.Kind {
    let name = try assignableName()
    return .macro(try definition(name: name, end: "endmacro"))
  }

  private mutating func callBlock() throws(TemplateError) -> Statement.Kind {
    var parameters: [String] = []
    var defaults: [Expression] = []
    if isSymbol(.leftParenthesis) { (parameters, defaults) = try signature() }
    let call = try expression()
    guard case .call = call.kind else { throw .syntax(line: call.line, reason: "expected a call") }
    let (body, specials) = try macroBody(parameters, end: "endcall")
    let definition = MacroDefinition(
      name: "caller", parameters: parameters, defaults: defaults, body: body, specials: specials)
    return .call(definition, call)
  }

  private mutating func definition(name: String, end: String) throws(TemplateError) -> MacroDefinition {
    let (parameters, defaults) = try signature()
    let (body, specials) = try macroBody(parameters, end: end)
    return MacroDefinition(
      name: name, parameters: parameters, defaults: defaults, body: body, specials: specials)
  }

  private mutating func macroBody(
    _ parameters: [String], end: String
  ) throws(TemplateError) -> ([Statement], Set<String>) {
    specialUses.append([])
    let body = try closedBody(upTo: end)
    let used = specialUses.removeLast().subtracting(parameters)
    if parameters.contains("caller") { throw .unsupported(line: line, feature: "a parameter 'caller'") }
    return (body, used)
  }

  private mutating func signature() throws(TemplateError) -> ([String], [Expression]) {
    var parameters: [String] = []
    var defaults: [Expression] = []
    try expect(.leftParenthesis)
    while !isSymbol(.rightParenthesis) {
      if !parameters.isEmpty { try expect(.comma) }
      let name = try assignableName()
      guard !parameters.contains(name) else { throw syntax("the parameter '\(name)' occurs twice") }
      parameters.append(name)
      if skip(.assign) {
        defaults.append(try expression())
      } else if !defaults.isEmpty {
        throw syntax("a parameter without a default after one with a default")
      }
    }
    advance()
    return (parameters, defaults)
  }
}

// MARK: - Targets

extension TemplateParser {
  private static let constants: Set = ["true", "false", "none", "True", "False", "None"]

  private mutating func assignableName() throws(TemplateError) -> String {
    let line = line
    let name = try expectName()
    guard !Self.constants.contains(name) else {
      throw .syntax(line: line, reason: "'\(name)' cannot be assigned to")
    }
    if name == "loop", loopDepth > 0 {
      throw .syntax(line: line, reason: "'loop' cannot be assigned to in a loop")
    }
    assignedNames.insert(name)
    return name
  }

  private mutating func target(end: String?, withNamespace: Bool) throws(TemplateError) -> Target {
    var targets: [Target] = []
    var isTuple = false
    while true {
      if !targets.isEmpty { try expect(.comma) }
      if current.kind == .blockEnd || isSymbol(.rightParenthesis) || end.map(isName) == true { break }
      targets.append(try singleTarget(withNamespace: withNamespace))
      guard isSymbol(.comma) else { break }
      isTuple = true
    }
    guard let first = targets.first else { throw expected("a name") }
    return isTuple ? .tuple(targets) : first
  }

  private mutating func singleTarget(withNamespace: Bool) throws(TemplateError) -> Target {
    if skip(.leftParenthesis) {
      let inner = try deeper { (parser) throws(TemplateError) in
        try parser.target(end: nil, withNamespace: false)
      }
      try expect(.rightParenthesis)
      return inner
    }
    if withNamespace, case .name(let name) = current.kind, following.kind == .symbol(.dot) {
      advance()
      advance()
      return .attribute(namespace: name, name: try expectName())
    }
    return .name(try assignableName())
  }
}
