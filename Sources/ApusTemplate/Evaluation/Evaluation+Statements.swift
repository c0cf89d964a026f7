extension Evaluation {
  /// How a list of statements ended.
  enum Flow { case normal, breakLoop, continueLoop }

  func execute(_ statements: [Statement], _ scope: Scope) throws(TemplateError) -> Flow {
    depth += 1
    defer { depth -= 1 }
    guard depth <= depthMax else { throw tooDeep() }
    for statement in statements {
      line = statement.line
      try charge()
      let flow = try execute(statement, scope)
      guard case .normal = flow else { return flow }
    }
    return .normal
  }

  private func execute(_ statement: Statement, _ scope: Scope) throws(TemplateError) -> Flow {
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expressions):
      for expression in expressions { try write(try string(try evaluate(expression, scope))) }
    case .conditional(let branches, let otherwise):
      for branch in branches where try evaluate(branch.test, scope).isTrue {
        return try execute(branch.body, scope)
      }
      return try execute(otherwise, scope)
    case .loop(let loop): return try execute(loop, scope)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    case .assign(let target, let expression):
      try checkNamespaces(target, scope)
      try assign(try evaluate(expression, scope), to: target, scope)
    case .assignBlock(let target, let filter, let body):
      try assignBlock(target, filter, body, scope)
    case .macro(let definition): scope.set(definition.name, makeMacro(definition, scope))
    case .call(let definition, let expression):
      let caller = makeMacro(definition, scope)
      try write(try string(try evaluate(expression, scope, caller: caller)))
    case .filter(let filter, let body):
      let inner = Scope(parent: scope)
      let text = try captured { () throws(TemplateError) in _ = try execute(body, inner) }
      try write(try string(try evaluate(filter, inner, block: text)))
    case .with(let bindings, let body):
      let inner = Scope(parent: scope)
      for binding in bindings { try assign(try evaluate(binding.value, scope), to: binding.target, inner) }
      return try execute(body, inner)
    case .scope(let body): _ = try execute(body, Scope(parent: scope))
    }
    return .normal
  }

  private func makeMacro(_ definition: MacroDefinition, _ scope: Scope) -> Value {
    macros.append((definition, scope))
    return .function(.macro(macros.count - 1))
  }

  private func assignBlock(
    _ target: Target, _ filter: Expression?, _ body: [Statement], _ scope: Scope
  ) throws(TemplateError) {
    let inner = Scope(parent: scope)
    let text = try captured { () throws(TemplateError) in _ = try execute(body, inner) }
    let value = try filter.map { (filter) throws(TemplateError) in
      try evaluate(filter, inner, block: text)
    }
    try checkNamespaces(target, scope)
    try assign(value ?? .text(text), to: target, scope)
  }

  // MARK: Assignment

  /// An attribute can be set of a namespace alone; that is checked before the value is evaluated.
  private func checkNamespaces(_ target: Target, _ scope: Scope) throws(TemplateError) {
    switch target {
    case .name: break
    case .attribute(let name, _):
      guard case .namespace? = scope.value(of: name) else {
        throw invalid("'\(name)' is no namespace: its attributes cannot be set")
      }
    case .tuple(let targets): for target in targets { try checkNamespaces(target, scope) }
    }
  }

  private func assign(_ value: Value, to target: Target, _ scope: Scope) throws(TemplateError) {
    switch target {
    case .name(let name): scope.set(name, value)
    case .attribute(let namespace, let name):
      guard case .namespace(let index)? = scope.value(of: namespace) else {
        throw invalid("'\(namespace)' is no namespace: its attributes cannot be set")
      }
      try checkNamespaceName(name)
      namespaces[index].set(name, value)
    case .tuple(let targets):
      let values = try items(of: value)
      guard values.count == targets.count else {
        throw invalid("\(values.count) values for \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
    }
  }

  func checkNamespaceName(_ name: String) throws(TemplateError) {
    guard !name.hasPrefix("_") else { throw invalid("'\(name)': no namespace has names that begin with '_'") }
  }

  // MARK: Loops

  private func execute(_ loop: Loop, _ scope: Scope) throws(TemplateError) -> Flow {
    let iterable = try evaluate(loop.iterable, scope)
    var iterator = try iterate(iterable)
    var count = length(of: iterable)
    if let test = loop.test {
      iterator = filtered(iterator, by: test, loop.target, scope)
      count = nil
    }
    let state = LoopState(iterator, count: count)
    let inner = Scope(parent: scope)
    // A body that was left before its end does not count, for `else`, as one that ran.
    var hasRun = false
    run: while let item = try state.next(self) {
      inner.removeAll()
      inner.set("loop", .loop(state))
      try assign(item, to: loop.target, inner)
      switch try execute(loop.body, inner) {
      case .normal: hasRun = true
      case .continueLoop: continue
      case .breakLoop: break run
      }
    }
    // What leaves a loop here leaves the one around this one.
    return hasRun ? .normal : try execute(loop.otherwise, Scope(parent: scope))
  }

  /// The items for which a test holds, each tested when its turn comes.
  private func filtered(
    _ iterator: ValueIterator, by test: Expression, _ target: Target, _ scope: Scope
  ) -> ValueIterator {
    ValueIterator(depth: iterator.depth + 1) { (evaluation) throws(TemplateError) in
      while let item = try iterator.next(evaluation) {
        let inner = Scope(parent: scope)
        try evaluation.assign(item, to: target, inner)
        if try evaluation.evaluate(test, inner).isTrue { return item }
      }
      return nil
    }
  }
}
