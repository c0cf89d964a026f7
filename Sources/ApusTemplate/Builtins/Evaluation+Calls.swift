extension Evaluation {
  func call(_ function: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= depthMax else { throw tooDeep() }
    try charge()
    guard case .function(let function) = function else {
      if case .undefined(let reason) = function { throw .undefined(line: line, reason: reason) }
      throw invalid("a \(function.typeName) cannot be called")
    }
    switch function {
    case .range: return try range(arguments)
    case .dictionary: return .dictionary(try makeDictionary(arguments))
    case .namespace: return try makeNamespace(arguments)
    case .raiseException:
      let values = try bind(arguments, to: "raise_exception", ["message"], required: 1)
      throw .raised(message: try string(values[0]!).string)
    case .formatTime:
      let values = try bind(arguments, to: "strftime_now", ["format"], required: 1)
      return .text(try formattedTime(try plainText(values[0]!)))
    case .macro(let index): return try callMacro(macros[index].definition, macros[index].scope, arguments)
    case .method(let receiver, let name): return try callMethod(receiver, name, arguments)
    }
  }

  private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
    let values = try bindPositional(arguments, to: "range", counts: 1...3).mapThrowing {
      (value) throws(TemplateError) in try index(value)
    }
    let start = values.count > 1 ? values[0] : 0
    let stop = values.count > 1 ? values[1] : values[0]
    let step = values.count > 2 ? values[2] : 1
    guard step != 0 else { throw invalid("a range whose step is 0") }
    var count = 0
    if step > 0 ? start < stop : start > stop {
      let (low, high) = step > 0 ? (start, stop) : (stop, start)
      // Unsigned, for the distance of two integers need not be one.
      let distance = UInt(bitPattern: high &- low)
      let quotient = (distance - 1) / step.magnitude + 1
      guard quotient <= UInt(limits.rangeCountMax) else {
        throw .rangeTooLarge(line: line, limit: limits.rangeCountMax)
      }
      count = Int(quotient)
    }
    return .range(ValueRange(start: start, stop: stop, step: step, count: count))
  }

  private func makeDictionary(_ arguments: CallArguments) throws(TemplateError) -> ValueDictionary {
    let values = try bindPositional(
      CallArguments(positional: arguments.positional), to: "dict", counts: 0...1)
    let result: ValueDictionary
    switch values.first {
    case nil: result = ValueDictionary()
    case .dictionary(let dictionary): result = dictionary.copy()
    case .namespace, .loop: throw unsupported("a dictionary from a \(values[0].typeName)")
    case let pairs?:
      result = ValueDictionary()
      for pair in try items(of: pairs) {
        let pair = try items(of: pair)
        guard pair.count == 2 else { throw invalid("a dictionary needs pairs of key and value") }
        result.set(try hashed(pair[0]), pair[0], pair[1])
      }
    }
    for (name, value) in arguments.named { result.set(name, value) }
    _ = try checked(.dictionary(result))
    return result
  }

  private func makeNamespace(_ arguments: CallArguments) throws(TemplateError) -> Value {
    let members = try makeDictionary(arguments)
    for key in members.keys { if case .text(let name) = key { try checkNamespaceName(name.string) } }
    namespaces.append(members)
    return .namespace(namespaces.count - 1)
  }

  // MARK: Macros

  private func callMacro(
    _ definition: MacroDefinition, _ outer: Scope, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let callLine = line
    defer { line = callLine }
    let scope = Scope(parent: outer)
    let names = definition.parameters
    var named = arguments.named
    for (index, name) in names.enumerated() {
      if index < arguments.positional.count {
        scope.set(name, arguments.positional[index])
      } else if let given = named.firstIndex(where: { $0.name == name }) {
        scope.set(name, named.remove(at: given).value)
      } else {
        let place = index - (names.count - definition.defaults.count)
        let value =
          place < 0
          ? Value.undefined(reason: "the parameter '\(name)' was not given")
          : try evaluate(definition.defaults[place], scope)
        scope.set(name, value)
      }
    }
    try bindSpecials(definition, arguments, &named, scope)
    return .text(try captured { () throws(TemplateError) in _ = try execute(definition.body, scope) })
  }

  private func bindSpecials(
    _ definition: MacroDefinition, _ arguments: CallArguments, _ named: inout [(name: String, value: Value)],
    _ scope: Scope
  ) throws(TemplateError) {
    if definition.specials.contains("caller") {
      let given = named.firstIndex { $0.name == "caller" }.map { named.remove(at: $0).value }
      scope.set("caller", given ?? .undefined(reason: "no caller is defined"))
    }
    if definition.specials.contains("kwargs") {
      let rest = ValueDictionary()
      for (name, value) in named { rest.set(name, value) }
      scope.set("kwargs", try checked(.dictionary(rest)))
    } else if let unknown = named.first {
      throw invalid("the macro '\(definition.name)' takes no argument '\(unknown.name)' here")
    }
    let rest = Array(arguments.positional.dropFirst(definition.parameters.count))
    if definition.specials.contains("varargs") {
      scope.set("varargs", try tuple(rest))
    } else if !rest.isEmpty {
      throw invalid(
        "the macro '\(definition.name)' takes at most \(definition.parameters.count) arguments")
    }
  }

  // MARK: Methods

  private func callMethod(
    _ receiver: Value, _ name: String, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    switch receiver {
    case .text(let text): return try callString(text, StringMethod(rawValue: name)!, arguments)
    case .safe: throw unsupported("a method of text marked as safe")
    case .dictionary(let dictionary): return try callDictionary(dictionary, name, arguments)
    case .list(let array), .tuple(let array), .group(let array):
      return try callArray(receiver, array.items, name, arguments)
    case .loop(let state): return try callLoop(state, name, arguments)
    case .range:
      guard arguments.positional.count == 1 else { throw invalid("range.\(name) takes one argument") }
      return try callArray(receiver, try items(of: receiver), name, arguments)
    default: throw unsupported("the method '\(name)' of a \(receiver.typeName)")
    }
  }

  private func callDictionary(
    _ dictionary: ValueDictionary, _ name: String, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    if name == "get" {
      let values = try bindPositional(arguments, to: "get", counts: 1...2)
      return dictionary[try hashed(values[0])] ?? (values.count > 1 ? values[1] : .none)
    }
    _ = try bindPositional(arguments, to: name, counts: 0...0)
    guard let view = DictionaryView(rawValue: name) else { return .dictionary(dictionary) }
    return .view(dictionary, view)
  }

  private func callArray(
    _ receiver: Value, _ items: [Value], _ name: String, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    if name == "copy" {
      _ = try bindPositional(arguments, to: name, counts: 0...0)
      return receiver
    }
    let values = try bindPositional(arguments, to: name, counts: name == "count" ? 1...1 : 1...3)
    var found = 0
    var bounds = 0..<items.count
    if values.count > 1 { bounds = try indexBounds(values, items.count) }
    for position in bounds where try equal(items[position], values[0]) {
      if name == "index" { return .integer(position) }
      found += 1
    }
    guard name == "count" else { throw invalid("the value is not in the \(receiver.typeName)") }
    return .integer(found)
  }

  private func indexBounds(_ values: [Value], _ count: Int) throws(TemplateError) -> Range<Int> {
    func bound(_ value: Value) throws(TemplateError) -> Int {
      let index = try index(value)
      return min(count, max(0, index < 0 ? index + count : index))
    }
    let low = try bound(values[1])
    let high = try values.count > 2 ? bound(values[2]) : count
    return low..<max(low, high)
  }

  private func callLoop(
    _ state: LoopState, _ name: String, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    guard arguments.named.isEmpty else { throw invalid("loop.\(name) takes arguments without names") }
    let values = arguments.positional
    if name == "cycle" {
      guard !values.isEmpty else { throw invalid("loop.cycle without values") }
      return values[state.index0 % values.count]
    }
    for value in values { if case .loop = value { throw unsupported("loop.changed of a loop") } }
    return .boolean(try state.hasChanged(values, self))
  }
}
