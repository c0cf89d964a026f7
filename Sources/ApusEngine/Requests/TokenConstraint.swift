/// Restricts a request's output to a language, token by token: a JSON schema, a regular expression, any set of
/// texts that can be told from its beginnings.
///
/// A value with the state reached so far; the engine copies it for each completion and asks, on its own
/// thread, once a token. Both calls must be bounded: a step of all requests waits for them.
public protocol TokenConstraint: Sendable {
  /// Tokens that may come next. Allows at least one, unless `isComplete`. The mask comes with any content.
  mutating func allowedTokens(into mask: inout TokenMask)

  /// `token`, which the mask allowed, was generated.
  mutating func advance(_ token: Int32)

  /// The text is complete and nothing may follow: the request ends without an end-of-sequence token.
  /// Where the text is complete and may still go on, the mask allows the end-of-sequence tokens instead.
  var isComplete: Bool { get }
}
