extension Evaluation {
  /// - Parameters:
  ///   - block: the text that a filter without an operand takes.
  ///   - caller: the body of the `call` block whose call this is.
  func evaluate(
    _ expression: Expression, _ scope: Scope, block: TemplateText? = nil, caller: Value? = nil
  ) throws(TemplateError) -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= depthMax else { throw tooDeep() }
    try charge()
    line = expression.line
    switch expression.kind {
    case .constant(let constant): return Value(constant)
    case .name(let name): return variable(name, scope)
    case .list(let items): return try list(try evaluateAll(items, scope))
    case .tuple(let items): return try tuple(try evaluateAll(items, scope))
    case .dictionary(let items): return try dictionary(items, scope)
    case .attribute(let base, let name): return try attribute(try evaluate(base, scope), name)
    case .item(let base, let key):
      let base = try evaluate(base, scope)
      return try item(base, try evaluate(key, scope))
    case .slice(let base, let start, let stop, let step):
      return try slice(base, start, stop, step, scope)
    case .call(let function, let arguments):
      let function = try evaluate(function, scope)
      var arguments = try self.arguments(arguments, scope)
      if let caller { arguments.named.append(("caller", caller)) }
      line = expression.line
      return try call(function, arguments)
    case .filter(let operand, let filter, let arguments):
      let operand = try operand.map { (operand) throws(TemplateError) in
        try evaluate(operand, scope, block: block)
      }
      let arguments = try self.arguments(arguments, scope)
      line = expression.line
      return try apply(filter, to: operand ?? .text(block ?? ""), arguments)
    case .test(let operand, let test, let arguments):
      let operand = try evaluate(operand, scope)
      let arguments = try self.arguments(arguments, scope)
      line = expression.line
      return .boolean(try holds(test, operand, arguments))
    case .unknown(let reason): throw invalid(reason)
    default: return try evaluateOperation(expression, scope)
    }
  }

  private func evaluateOperation(_ expression: Expression, _ scope: Scope) throws(TemplateError) -> Value {
    switch expression.kind {
    case .not(let operand): return .boolean(try !evaluate(operand, scope).isTrue)
    case .negate(let operand): return try signed(try evaluate(operand, scope), isNegated: true)
    case .plus(let operand): return try signed(try evaluate(operand, scope), isNegated: false)
    case .arithmetic(let first, let rest):
      var result = try evaluate(first, scope)
      for (operation, operand) in rest {
        let operand = try evaluate(operand, scope)
        line = expression.line
        result = try arithmetic(operation, result, operand)
      }
      return result
    case .concatenation(let operands):
      var result = TemplateText()
      for operand in operands {
        result.bytes += try string(try evaluate(operand, scope)).bytes
        try checkLength(result.bytes.count)
      }
      return .text(result)
    case .and(let operands): return try lastOrFirst(operands, scope) { !$0.isTrue }
    case .or(let operands): return try lastOrFirst(operands, scope) { $0.isTrue }
    case .comparison(let first, let rest): return try comparison(first, rest, scope)
    case .conditional(let test, let then, let otherwise):
      if try evaluate(test, scope).isTrue { return try evaluate(then, scope) }
      guard let otherwise else {
        return .undefined(reason: "a conditional expression without 'else' came out false")
      }
      return try evaluate(otherwise, scope)
    default: preconditionFailure("not an operation")
    }
  }

  private func variable(_ name: String, _ scope: Scope) -> Value {
    if let value = scope.value(of: name) { return value }
    switch name {
    case "range": return .function(.range)
    case "dict": return .function(.dictionary)
    case "namespace": return .function(.namespace)
    case "raise_exception": return .function(.raiseException)
    case "strftime_now": return .function(.formatTime)
    default: return .undefined(reason: "'\(name)' is undefined")
    }
  }

  private func evaluateAll(_ items: [Expression], _ scope: Scope) throws(TemplateError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(items.count)
    for item in items { values.append(try evaluate(item, scope)) }
    return values
  }

  private func dictionary(
    _ items: [(key: Expression, value: Expression)], _ scope: Scope
  ) throws(TemplateError) -> Value {
    let result = ValueDictionary()
    for item in items {
      let key = try evaluate(item.key, scope)
      result.set(try hashed(key), key, try evaluate(item.value, scope))
    }
    return try checked(.dictionary(result))
  }

  func hashed(_ value: Value) throws(TemplateError) -> DictionaryKey {
    guard let key = DictionaryKey(value) else { throw invalid("a \(value.typeName) cannot be a key") }
    if case .text(let text) = key { try charge(bytes: text.bytes.count) }
    return key
  }

  /// The first value that decides, else the last.
  private func lastOrFirst(
    _ operands: [Expression], _ scope: Scope, _ decides: (Value) -> Bool
  ) throws(TemplateError) -> Value {
    var value = Value.none
    for operand in operands {
      value = try evaluate(operand, scope)
      if decides(value) { return value }
    }
    return value
  }

  private func comparison(
    _ first: Expression, _ rest: [(operation: ComparisonOperation, operand: Expression)], _ scope: Scope
  ) throws(TemplateError) -> Value {
    var left = try evaluate(first, scope)
    for (operation, operand) in rest {
      let right = try evaluate(operand, scope)
      guard try compare(operation, left, right) else { return .boolean(false) }
      left = right
    }
    return .boolean(true)
  }

  private func slice(
    _ base: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?, _ scope: Scope
  ) throws(TemplateError) -> Value {
    let base = try evaluate(base, scope)
    let bounds = try [start, stop, step].mapThrowing { (bound) throws(TemplateError) -> Int? in
      guard let bound else { return nil }
      let value = try evaluate(bound, scope)
      if case .none = value { return nil }
      return try index(value)
    }
    return try slice(base, bounds[0], bounds[1], bounds[2])
  }

  /// The values of a call's arguments.
  private func arguments(_ arguments: Arguments, _ scope: Scope) throws(TemplateError) -> CallArguments {
    var result = CallArguments(positional: try evaluateAll(arguments.positional, scope))
    for argument in arguments.named {
      result.named.append((argument.name, try evaluate(argument.value, scope)))
    }
    if let sequence = arguments.sequence {
      result.positional += try items(of: try evaluate(sequence, scope))
    }
    if let mapping = arguments.mapping {
      guard case .dictionary(let dictionary) = try evaluate(mapping, scope) else {
        throw invalid("'**' needs a dictionary")
      }
      for (key, value) in zip(dictionary.keys, dictionary.values) {
        guard case .text(let name) = key, !result.named.contains(where: { $0.name == name.string }) else {
          throw invalid("'**' needs a dictionary whose keys are names not given yet")
        }
        result.named.append((name.string, value))
      }
    }
    return result
  }
}

extension Value {
  init(_ constant: Constant) {
    switch constant {
    case .none: self = .none
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .float(let value): self = .float(value)
    case .string(let text): self = .text(text)
    }
  }
}

extension Array {
  /// `map` with the error's type kept.
  func mapThrowing<Result>(
    _ transform: (Element) throws(TemplateError) -> Result
  ) throws(TemplateError) -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(count)
    for element in self { results.append(try transform(element)) }
    return results
  }
}
