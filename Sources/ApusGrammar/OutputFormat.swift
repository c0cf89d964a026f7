/// What a generated text must be.
public enum OutputFormat: Sendable, Hashable {
  /// A JSON object, whatever is in it.
  case jsonObject
  /// A JSON text that satisfies a JSON schema: see `GrammarOptions` and the module's page for what is read.
  case json(schema: String)
  /// A text that a regular expression matches as a whole.
  case regex(String)
  /// One of these texts.
  case choice([String])
}

/// How JSON is written.
public struct GrammarOptions: Sendable, Hashable {
  public var whitespace: JSONWhitespace
  /// Objects and arrays within each other, the outermost counted, where a schema sets no bound by itself:
  /// 1...256.
  public var nestingMax: Int

  public static let nestingRange = 1...256

  public init(whitespace: JSONWhitespace = .separators, nestingMax: Int = 32) {
    self.whitespace = whitespace
    self.nestingMax = nestingMax
  }
}
