/// The values a call was given.
struct CallArguments {
  var positional: [Value] = []
  var named: [(name: String, value: Value)] = []

  var isEmpty: Bool { positional.isEmpty && named.isEmpty }
}

extension Evaluation {
  /// The values of `parameters`, nil where none was given.
  /// - Parameter required: how many of the first must be given.
  func bind(
    _ arguments: CallArguments, to function: String, _ parameters: [String], required: Int = 0
  ) throws(TemplateError) -> [Value?] {
    guard arguments.positional.count <= parameters.count else {
      throw invalid(
        "\(function) takes at most \(parameters.count) arguments, not \(arguments.positional.count)")
    }
    var values = arguments.positional.map { Optional($0) }
    values += Array(repeating: nil, count: parameters.count - values.count)
    for (name, value) in arguments.named {
      guard let index = parameters.firstIndex(of: name), values[index] == nil else {
        throw invalid("\(function) takes no argument '\(name)' here")
      }
      values[index] = value
    }
    if let missing = (0..<required).first(where: { values[$0] == nil }) {
      throw invalid("\(function) needs an argument '\(parameters[missing])'")
    }
    return values
  }

  /// As `bind`, for functions that take arguments by their places alone.
  func bindPositional(
    _ arguments: CallArguments, to function: String, counts: ClosedRange<Int>
  ) throws(TemplateError) -> [Value] {
    guard arguments.named.isEmpty, counts.contains(arguments.positional.count) else {
      throw invalid(
        "\(function) takes \(counts.lowerBound) to \(counts.upperBound) arguments without names")
    }
    return arguments.positional
  }

  // MARK: Arguments of a type

  /// An integer, or what Python takes for one.
  func index(_ value: Value) throws(TemplateError) -> Int {
    switch value {
    case .integer(let value): return value
    case .boolean(let value): return value ? 1 : 0
    case .undefined(let reason): throw .undefined(line: line, reason: reason)
    default: throw invalid("expected an integer, found a \(value.typeName)")
    }
  }

  /// Text that is not marked as safe.
  func plainText(_ value: Value) throws(TemplateError) -> TemplateText {
    switch value {
    case .text(let text): return text
    case .safe: throw unsupported("what is done here to text marked as safe")
    case .undefined(let reason): throw .undefined(line: line, reason: reason)
    default: throw invalid("expected text, found a \(value.typeName)")
    }
  }

  /// Text as Jinja's filters take it: anything, printed.
  func softText(_ value: Value) throws(TemplateError) -> TemplateText {
    if case .safe = value { throw unsupported("a filter of text marked as safe") }
    return try string(value)
  }
}
