/// One rendering of a template: variables, output, and what has been spent.
///
/// A class, for lazy filters come back to it when their values are asked for; it lives as long as one call of
/// `Template.render` and is known to no other thread.
final class Evaluation {
  let limits: TemplateLimits
  let depthMax: Int
  let now: TemplateTime
  /// Nested evaluations, calls and iterators.
  var depth = 0
  /// The line of what is evaluated.
  var line = 1
  private var steps = 0
  private var output: [UInt8] = []
  var namespaces: [ValueDictionary] = []
  var macros: [(definition: MacroDefinition, scope: Scope)] = []

  init(limits: TemplateLimits, now: TemplateTime) {
    self.limits = limits
    depthMax = limits.depthMax
    self.now = now
  }

  // MARK: What it costs

  func charge(_ count: Int = 1) throws(TemplateError) {
    steps += count
    guard steps <= limits.stepCountMax else { throw .tooManySteps(line: line, limit: limits.stepCountMax) }
  }

  /// Pays for touching text.
  func charge(bytes count: Int) throws(TemplateError) {
    try charge(count >> 6)
  }

  /// Pays for text that comes to be.
  func text(_ text: TemplateText) throws(TemplateError) -> Value {
    try checkLength(text.bytes.count)
    return .text(text)
  }

  func checkLength(_ byteCount: Int) throws(TemplateError) {
    guard byteCount <= limits.textByteCountMax else {
      throw .tooMuchText(line: line, limit: limits.textByteCountMax)
    }
    try charge(bytes: byteCount)
  }

  func tooDeep() -> TemplateError { .tooDeep(line: line, limit: depthMax) }

  /// A value with others in it, within the depth that everything which walks through it can bear.
  func checked(_ value: Value) throws(TemplateError) -> Value {
    guard value.depth <= Self.valueDepthMax else { throw .tooDeep(line: line, limit: Self.valueDepthMax) }
    return value
  }

  static let valueDepthMax = 100

  func list(_ items: [Value]) throws(TemplateError) -> Value {
    try charge(items.count >> 2)
    return try checked(.list(items))
  }

  func tuple(_ items: [Value]) throws(TemplateError) -> Value { try checked(.tuple(items)) }

  func invalid(_ reason: String) -> TemplateError { .invalidOperation(line: line, reason: reason) }
  func unsupported(_ feature: String) -> TemplateError { .unsupported(line: line, feature: feature) }

  // MARK: Output

  func write(_ text: TemplateText) throws(TemplateError) {
    output += text.bytes
    guard output.count <= limits.textByteCountMax else {
      throw .tooMuchText(line: line, limit: limits.textByteCountMax)
    }
    try charge(bytes: text.bytes.count)
  }

  /// What `body` writes, kept from the output.
  func captured(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> TemplateText {
    let outer = output
    output = []
    defer { output = outer }
    try body()
    return TemplateText(bytes: output)
  }

  func takeOutput() -> TemplateText {
    defer { output = [] }
    return TemplateText(bytes: output)
  }
}

/// Variables of one block; what is not there is looked for around it.
final class Scope {
  private var variables: [String: Value] = [:]
  private let parent: Scope?

  init(parent: Scope?) { self.parent = parent }

  func value(of name: String) -> Value? {
    var scope: Scope? = self
    while let current = scope {
      if let value = current.variables[name] { return value }
      scope = current.parent
    }
    return nil
  }

  func set(_ name: String, _ value: Value) { variables[name] = value }

  func removeAll() { variables.removeAll(keepingCapacity: true) }
}
