public import Apus
public import ApusEngine
import ApusGrammar

/// Holds output to JSON schemas, expressions and choices by the grammars of `ApusGrammar`.
public struct GrammarFormatCompiler: FormatCompiler {
  private let constraints: ConstraintCompiler

  public init(_ model: LanguageModel) { constraints = model.constraints }

  public func constraint(for format: RequestedFormat) throws -> any TokenConstraint {
    let output: OutputFormat
    switch format {
    case .jsonObject: output = .jsonObject
    case .jsonSchema(let schema): output = .json(schema: JSONText(schema).text)
    case .regex(let pattern): output = .regex(pattern)
    case .choice(let texts): output = .choice(texts)
    case .grammar: throw UnsupportedGrammar()
    }
    return try constraints.constraint(for: output)
  }
}

private struct UnsupportedGrammar: Error, CustomStringConvertible {
  var description: String {
    "grammars in GBNF or Lark are not supported, expected a JSON schema, a regular expression or a choice"
  }
}
