public import ApusEngine

/// Turns the language that a client asks for into what holds a model's output to it.
public protocol FormatCompiler: Sendable {
  /// - Throws: an error whose description tells the client what of the schema, expression or grammar is not
  ///   supported or not valid.
  func constraint(for format: RequestedFormat) throws -> any TokenConstraint
}
