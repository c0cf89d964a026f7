extension TemplateParser {
  /// Expressions with commas between are a tuple.
  /// - Parameter end: a name before which the tuple ends.
  mutating func tupleExpression(
    withConditional: Bool = true, end: String? = nil, inParentheses: Bool = false
  ) throws(TemplateError) -> Expression {
    let line = line
    var items: [Expression] = []
    var isTuple = false
    while true {
      if !items.isEmpty { try expect(.comma) }
      if current.kind == .variableEnd || current.kind == .blockEnd || isSymbol(.rightParenthesis) { break }
      if let end, isName(end) { break }
      items.append(try expression(withConditional: withConditional))
      guard isSymbol(.comma) else { break }
      isTuple = true
    }
    if !isTuple {
      if let item = items.first { return item }
      guard inParentheses else { throw expected("an expression") }
    }
    return Expression(kind: .tuple(items), line: line)
  }

  mutating func expression(withConditional: Bool = true) throws(TemplateError) -> Expression {
    try deeper { (parser) throws(TemplateError) in
      withConditional ? try parser.conditionalExpression() : try parser.disjunction()
    }
  }

  private mutating func conditionalExpression() throws(TemplateError) -> Expression {
    let line = line
    var result = try disjunction()
    var length = 0
    while skip(name: "if") {
      length += 1
      try checkChain(length)
      let test = try disjunction()
      let otherwise = skip(name: "else") ? try expression() : nil
      result = Expression(kind: .conditional(test: test, then: result, otherwise: otherwise), line: line)
    }
    return result
  }

  private mutating func disjunction() throws(TemplateError) -> Expression {
    let line = line
    var operands = [try conjunction()]
    while skip(name: "or") { operands.append(try conjunction()) }
    return operands.count == 1 ? operands[0] : Expression(kind: .or(operands), line: line)
  }

  private mutating func conjunction() throws(TemplateError) -> Expression {
    let line = line
    var operands = [try negation()]
    while skip(name: "and") { operands.append(try negation()) }
    return operands.count == 1 ? operands[0] : Expression(kind: .and(operands), line: line)
  }

  private mutating func negation() throws(TemplateError) -> Expression {
    let line = line
    guard skip(name: "not") else { return try comparison() }
    let operand = try deeper { (parser) throws(TemplateError) in try parser.negation() }
    return Expression(kind: .not(operand), line: line)
  }

  private mutating func comparison() throws(TemplateError) -> Expression {
    let line = line
    let first = try sum()
    var rest: [(operation: ComparisonOperation, operand: Expression)] = []
    while let operation = comparisonOperation() {
      advance()
      if operation == .isNotIn { advance() }
      rest.append((operation, try sum()))
    }
    return rest.isEmpty ? first : Expression(kind: .comparison(first, rest), line: line)
  }

  private func comparisonOperation() -> ComparisonOperation? {
    switch current.kind {
    case .symbol(.equal): .equal
    case .symbol(.notEqual): .notEqual
    case .symbol(.less): .less
    case .symbol(.lessOrEqual): .lessOrEqual
    case .symbol(.greater): .greater
    case .symbol(.greaterOrEqual): .greaterOrEqual
    case .name("in"): .isIn
    case .name("not") where following.kind == .name("in"): .isNotIn
    default: nil
    }
  }

  /// Operators of one precedence, from left to right.
  private mutating func arithmetic(
    _ operations: [TemplateToken.Symbol: ArithmeticOperation],
    _ operand: (inout TemplateParser) throws(TemplateError) -> Expression
  ) throws(TemplateError) -> Expression {
    let line = line
    let first = try operand(&self)
    var rest: [(operation: ArithmeticOperation, operand: Expression)] = []
    while case .symbol(let symbol) = current.kind, let operation = operations[symbol] {
      advance()
      rest.append((operation, try operand(&self)))
    }
    return rest.isEmpty ? first : Expression(kind: .arithmetic(first, rest), line: line)
  }

  private mutating func sum() throws(TemplateError) -> Expression {
    try arithmetic([.add: .add, .subtract: .subtract]) { (parser) throws(TemplateError) in
      try parser.concatenation()
    }
  }

  private mutating func concatenation() throws(TemplateError) -> Expression {
    let line = line
    var operands = [try product()]
    while skip(.tilde) { operands.append(try product()) }
    return operands.count == 1 ? operands[0] : Expression(kind: .concatenation(operands), line: line)
  }

  private mutating func product() throws(TemplateError) -> Expression {
    try arithmetic([
      .multiply: .multiply, .divide: .divide, .floorDivide: .floorDivide, .remainder: .remainder,
    ]) { (parser) throws(TemplateError) in try parser.power() }
  }

  private mutating func power() throws(TemplateError) -> Expression {
    try arithmetic([.power: .power]) { (parser) throws(TemplateError) in try parser.unary() }
  }

  private mutating func unary(withFilter: Bool = true) throws(TemplateError) -> Expression {
    let line = line
    var result: Expression
    if isSymbol(.subtract) || isSymbol(.add) {
      let isMinus = isSymbol(.subtract)
      advance()
      let operand = try deeper { (parser) throws(TemplateError) in try parser.unary(withFilter: false) }
      result = Expression(kind: isMinus ? .negate(operand) : .plus(operand), line: line)
    } else {
      result = try primary()
    }
    result = try postfix(result)
    return withFilter ? try filtered(result) : result
  }

  private mutating func primary() throws(TemplateError) -> Expression {
    let line = line
    switch current.kind {
    case .name(let name):
      advance()
      return Expression(kind: nameExpression(name, line: line), line: line)
    case .string(var text):
      advance()
      while case .string(let more) = current.kind {
        text.bytes += more.bytes
        advance()
      }
      return Expression(kind: .constant(.string(text)), line: line)
    case .integer(let value):
      advance()
      return Expression(kind: .constant(.integer(value)), line: line)
    case .float(let value):
      advance()
      return Expression(kind: .constant(.float(value)), line: line)
    case .symbol(.leftParenthesis):
      advance()
      let inner = try tupleExpression(inParentheses: true)
      try expect(.rightParenthesis)
      return inner
    case .symbol(.leftBracket):
      advance()
      return Expression(kind: .list(try items(upTo: .rightBracket)), line: line)
    case .symbol(.leftBrace): return try dictionary()
    default: throw expected("an expression")
    }
  }

  private mutating func nameExpression(_ name: String, line: Int) -> Expression.Kind {
    switch name {
    case "true", "True": return .constant(.boolean(true))
    case "false", "False": return .constant(.boolean(false))
    case "none", "None": return .constant(.none)
    default:
      let isSpecial = ["caller", "varargs", "kwargs"].contains(name)
      if isSpecial, !specialUses.isEmpty {
        for index in specialUses.indices { specialUses[index].insert(name) }
      } else if UnsupportedName.globals.contains(name) {
        globalUses.append((name, line))
      }
      return .name(name)
    }
  }

  private mutating func items(upTo end: TemplateToken.Symbol) throws(TemplateError) -> [Expression] {
    var items: [Expression] = []
    while !isSymbol(end) {
      if !items.isEmpty { try expect(.comma) }
      if isSymbol(end) { break }
      items.append(try expression())
    }
    advance()
    return items
  }

  private mutating func dictionary() throws(TemplateError) -> Expression {
    let line = line
    advance()
    var items: [(key: Expression, value: Expression)] = []
    while !isSymbol(.rightBrace) {
      if !items.isEmpty { try expect(.comma) }
      if isSymbol(.rightBrace) { break }
      let key = try expression()
      try expect(.colon)
      items.append((key, try expression()))
    }
    advance()
    return Expression(kind: .dictionary(items), line: line)
  }
}

// MARK: - What follows a value

extension TemplateParser {
  private mutating func postfix(_ base: Expression) throws(TemplateError) -> Expression {
    var result = base
    var length = 0
    while true {
      switch current.kind {
      case .symbol(.dot), .symbol(.leftBracket): result = try subscripted(result)
      case .symbol(.leftParenthesis): result = try call(result)
      default: return result
      }
      length += 1
      try checkChain(length)
    }
  }

  private mutating func filtered(_ base: Expression) throws(TemplateError) -> Expression {
    var result = base
    var length = 0
    while true {
      switch current.kind {
      case .symbol(.pipe): result = try filters(on: result, isInline: false)
      case .name("is"): result = try test(result)
      case .symbol(.leftParenthesis): result = try call(result)
      default: return result
      }
      length += 1
      try checkChain(length)
    }
  }

  private mutating func call(_ function: Expression) throws(TemplateError) -> Expression {
    let line = line
    if case .attribute(_, let name) = function.kind, UnsupportedName.methods.contains(name) {
      throw .unsupported(line: line, feature: "the method '\(name)'")
    }
    return Expression(kind: .call(function, try arguments()), line: line)
  }

  private mutating func subscripted(_ base: Expression) throws(TemplateError) -> Expression {
    let line = line
    if skip(.dot) {
      switch current.kind {
      case .name(let name):
        advance()
        guard !name.hasPrefix("__") else {
          throw .unsupported(line: line, feature: "the attribute '\(name)'")
        }
        return Expression(kind: .attribute(base, name), line: line)
      case .integer(let index):
        advance()
        return Expression(
          kind: .item(base, Expression(kind: .constant(.integer(index)), line: line)), line: line)
      default: throw expected("a name or a number")
      }
    }
    advance()
    var items: [Expression] = []
    while !isSymbol(.rightBracket) {
      if !items.isEmpty { try expect(.comma) }
      if let slice = try slice(of: base, isFirst: items.isEmpty) { return slice }
      items.append(try expression())
      if isSymbol(.colon) {
        guard items.count == 1 else { throw .unsupported(line: line, feature: "a slice among items") }
        return try slice(of: base, start: items[0])
      }
    }
    advance()
    let key = items.count == 1 ? items[0] : Expression(kind: .tuple(items), line: line)
    return Expression(kind: .item(base, key), line: line)
  }

  private mutating func slice(of base: Expression, isFirst: Bool) throws(TemplateError) -> Expression? {
    guard isSymbol(.colon) else { return nil }
    guard isFirst else { throw .unsupported(line: line, feature: "a slice among items") }
    return try slice(of: base, start: nil)
  }

  /// From the first colon to the bracket.
  private mutating func slice(of base: Expression, start: Expression?) throws(TemplateError) -> Expression {
    let line = line
    advance()
    var stop: Expression?
    var step: Expression?
    if !isSymbol(.colon), !isSymbol(.rightBracket) { stop = try expression() }
    if skip(.colon), !isSymbol(.rightBracket) { step = try expression() }
    try expect(.rightBracket)
    return Expression(kind: .slice(base, start: start, stop: stop, step: step), line: line)
  }

  private mutating func arguments() throws(TemplateError) -> Arguments {
    let line = line
    let invalid = TemplateError.syntax(line: line, reason: "arguments in an order that calls do not have")
    var arguments = Arguments()
    try expect(.leftParenthesis)
    var isFirst = true
    while !isSymbol(.rightParenthesis) {
      if !isFirst {
        try expect(.comma)
        if isSymbol(.rightParenthesis) { break }
      }
      isFirst = false
      if skip(.multiply) {
        guard arguments.sequence == nil, arguments.mapping == nil else { throw invalid }
        arguments.sequence = try expression()
      } else if skip(.power) {
        guard arguments.mapping == nil else { throw invalid }
        arguments.mapping = try expression()
      } else if case .name(let name) = current.kind, following.kind == .symbol(.assign) {
        guard arguments.mapping == nil else { throw invalid }
        guard !arguments.named.contains(where: { $0.name == name }) else {
          throw syntax("the argument '\(name)' occurs twice")
        }
        advance()
        advance()
        arguments.named.append((name, try expression()))
      } else {
        guard arguments.sequence == nil, arguments.mapping == nil, arguments.named.isEmpty else {
          throw invalid
        }
        arguments.positional.append(try expression())
      }
    }
    advance()
    return arguments
  }

  private mutating func dottedName() throws(TemplateError) -> String {
    var name = try expectName()
    while skip(.dot) { name += "." + (try expectName()) }
    return name
  }

  /// Filters one after another.
  /// - Parameter isInline: whether the first stands without a bar, as in the tag `filter`.
  mutating func filters(on base: Expression?, isInline: Bool) throws(TemplateError) -> Expression {
    var result = base
    var isInline = isInline
    var length = 0
    while isInline || isSymbol(.pipe) {
      if !isInline { advance() }
      isInline = false
      length += 1
      try checkChain(length)
      let line = line
      let name = try dottedName()
      if conditionDepth > 0, !Filter.exists(name) {
        if isSymbol(.leftParenthesis) { _ = try arguments() }
        result = Expression(kind: .unknown(reason: "no filter is named '\(name)'"), line: line)
        continue
      }
      let filter = try Self.filter(name, line: line)
      let arguments = isSymbol(.leftParenthesis) ? try arguments() : Arguments()
      try checkNames(in: arguments, of: filter)
      result = Expression(kind: .filter(result, filter, arguments), line: line)
    }
    guard let result else { throw expected("a filter") }
    return result
  }

  static func filter(_ name: String, line: Int) throws(TemplateError) -> Filter {
    guard let filter = Filter(named: name) else {
      guard Filter.unsupported.contains(name) else {
        throw .syntax(line: line, reason: "no filter is named '\(name)'")
      }
      throw .unsupported(line: line, feature: "the filter '\(name)'")
    }
    return filter
  }

  /// Names of filters and tests that a filter is given as text.
  private func checkNames(in arguments: Arguments, of filter: Filter) throws(TemplateError) {
    let index: Int
    switch filter {
    case .map, .select, .reject: index = 0
    case .selectattr, .rejectattr: index = 1
    default: return
    }
    guard index < arguments.positional.count,
      case .constant(.string(let text)) = arguments.positional[index].kind
    else { return }
    let line = arguments.positional[index].line
    if filter == .map {
      _ = try Self.filter(text.string, line: line)
    } else if Test(named: text.string) == nil {
      throw .syntax(line: line, reason: "no test is named '\(text.string)'")
    }
  }

  private mutating func test(_ base: Expression) throws(TemplateError) -> Expression {
    let line = line
    advance()
    let isNegated = skip(name: "not")
    let name = try dottedName()
    guard let test = Test(named: name) else {
      throw .syntax(line: line, reason: "no test is named '\(name)'")
    }
    var arguments = Arguments()
    if isSymbol(.leftParenthesis) {
      arguments = try self.arguments()
    } else if startsTestArgument() {
      guard !isName("is") else { throw syntax("two tests in a row") }
      arguments.positional = [try postfix(try primary())]
    }
    let result = Expression(kind: .test(base, test, arguments), line: line)
    return isNegated ? Expression(kind: .not(result), line: line) : result
  }

  /// Whether what follows a test's name is its argument, without parentheses.
  private func startsTestArgument() -> Bool {
    switch current.kind {
    case .name(let name): !["else", "or", "and"].contains(name)
    case .string, .integer, .float, .symbol(.leftBracket), .symbol(.leftBrace): true
    default: false
    }
  }
}
