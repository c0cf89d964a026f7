/// Ends a request by its output, beyond stop tokens: by a string that may lie across tokens, for instance.
///
/// A value with the state reached so far; the engine copies it for each completion and asks, on its own
/// thread, once a token.
public protocol StopCondition: Sendable {
  /// Takes the token generated next. True: it is the request's last.
  mutating func shouldStop(after token: Int32) -> Bool
}
