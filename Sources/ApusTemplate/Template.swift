public import ApusCheckpoint

/// A Jinja template as Hugging Face's chat templates are written: read once, rendered often.
///
/// The dialect is Jinja 3.1 with `trim_blocks` and `lstrip_blocks`, the tags `break`, `continue` and `generation`,
/// and `tojson`, `raise_exception` and `strftime_now` as `transformers` defines them; lists and dictionaries
/// cannot be changed (Jinja's immutable sandbox). Text is Unicode scalars, numbers and printing are Python's.
/// Integers have 64 bits: what is larger is an error. What Jinja has and this has not (inheritance, imports,
/// recursive loops and what `Filter` leaves out) is refused when the template is read.
public struct Template: Sendable {
  public let limits: TemplateLimits
  private let statements: [Statement]

  /// - Throws: `TemplateError` naming line and reason.
  public init(source: String, limits: TemplateLimits = TemplateLimits()) throws(TemplateError) {
    self.limits = limits
    statements = try DeepStack.run { () throws(TemplateError) in
      try TemplateParser.parse(TemplateText(source), limits: limits)
    }
  }

  /// The text of the template with these variables.
  /// - Parameter now: the time that `strftime_now` tells.
  /// - Throws: `TemplateError`.
  public func render(_ variables: JSONMembers, now: TemplateTime = .now) throws(TemplateError) -> String {
    try DeepStack.run { () throws(TemplateError) in
      let evaluation = Evaluation(limits: limits, now: now)
      let scope = Scope(parent: nil)
      for index in 0..<variables.count {
        let (name, value) = variables[index]
        scope.set(name, try Value(value))
      }
      _ = try evaluation.execute(statements, scope)
      return evaluation.takeOutput().string
    }
  }
}

extension Value {
  /// - Throws: `TemplateError.tooDeep`.
  init(_ json: JSONValue, depth: Int = 0) throws(TemplateError) {
    guard depth < Evaluation.valueDepthMax else { throw .tooDeep(line: 1, limit: Evaluation.valueDepthMax) }
    switch json {
    case .null: self = .none
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .float(value)
    case .string(let text): self = .text(TemplateText(text))
    case .array(let values):
      self = .list(
        try values.mapThrowing { (value) throws(TemplateError) in try Value(value, depth: depth + 1) })
    case .object(let members):
      let dictionary = ValueDictionary()
      for index in 0..<members.count {
        let (name, value) = members[index]
        dictionary.set(name, try Value(value, depth: depth + 1))
      }
      self = .dictionary(dictionary)
    }
  }
}
