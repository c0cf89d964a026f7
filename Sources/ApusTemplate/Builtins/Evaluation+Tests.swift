extension Evaluation {
  /// `value is test(arguments)`
  func holds(_ test: Test, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Bool {
    switch test {
    case .comparison(let operation):
      let names = operation == .isIn ? ["seq"] : []
      let other =
        names.isEmpty
        ? try bindPositional(arguments, to: "the test", counts: 1...1)[0]
        : try bind(arguments, to: "the test", names, required: 1)[0]!
      return try compare(operation, value, other)
    case .divisibleBy:
      let number = try bind(arguments, to: "divisibleby", ["num"], required: 1)[0]!
      return try equal(try arithmetic(.remainder, value, number), .integer(0))
    case .sameAs:
      return try isSame(value, try bind(arguments, to: "sameas", ["other"], required: 1)[0]!)
    default:
      _ = try bindPositional(arguments, to: "the test", counts: 0...0)
      return try holds(test, value)
    }
  }

  private func holds(_ test: Test, _ value: Value) throws(TemplateError) -> Bool {
    switch test {
    case .odd: return try equal(try arithmetic(.remainder, value, .integer(2)), .integer(1))
    case .even: return try equal(try arithmetic(.remainder, value, .integer(2)), .integer(0))
    case .defined: return !value.isUndefined
    case .undefined: return value.isUndefined
    case .filter: return try name(value).map(Filter.exists) ?? false
    case .test: return try name(value).map { Test(named: $0) != nil } ?? false
    case .lower, .upper:
      let text = try string(value)
      try charge(bytes: text.bytes.count)
      if case .lower = test { return text.isLower }
      return text.isUpper
    default: return isKind(test, value)
    }
  }

  private func name(_ value: Value) throws(TemplateError) -> String? {
    if case .text(let text) = value { return text.string }
    _ = try hashed(value)
    return nil
  }

  private func isKind(_ test: Test, _ value: Value) -> Bool {
    switch (test, value) {
    case (.none, .none), (.boolean, .boolean), (.isTrue, .boolean(true)), (.isFalse, .boolean(false)),
      (.integer, .integer), (.float, .float), (.string, .text), (.string, .safe), (.mapping, .dictionary),
      (.number, .integer), (.number, .float), (.number, .boolean), (.escaped, .safe):
      true
    case (.sequence, .list), (.sequence, .tuple), (.sequence, .group), (.sequence, .text), (.sequence, .safe),
      (.sequence, .dictionary), (.sequence, .range), (.sequence, .undefined):
      true
    case (.callable, .function), (.callable, .undefined), (.callable, .loop): true
    case (.iterable, .none), (.iterable, .boolean), (.iterable, .integer), (.iterable, .float),
      (.iterable, .namespace), (.iterable, .function):
      false
    case (.iterable, _): true
    default: false
    }
  }

  /// Python's `is`, for values of which there is one alone, and for values of two types.
  private func isSame(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
    switch (left, right) {
    case (.none, .none): return true
    case (.boolean(let left), .boolean(let right)): return left == right
    case (.namespace(let left), .namespace(let right)): return left == right
    default:
      guard left.typeName != right.typeName else { throw unsupported("'sameas' of two \(left.typeName)s") }
      return false
    }
  }
}
