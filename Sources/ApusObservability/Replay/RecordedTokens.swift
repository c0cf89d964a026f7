import ApusEngine

/// Makes a request generate tokens that are known, and after them what it will.
///
/// For a fork, which begins with what its origin had generated, and for output under a constraint, which is code that
/// no recording holds. Masks change which token is drawn, never the logprobs, which are the model's own.
struct RecordedTokens: TokenConstraint {
  private let tokens: [Int32]
  private var count = 0

  init(_ tokens: [Int32]) { self.tokens = tokens }

  var isComplete: Bool { false }

  mutating func allowedTokens(into mask: inout TokenMask) {
    guard count < tokens.count else { return mask.allowAll() }
    mask.removeAll()
    // A token that the model has not leaves none, and the request fails.
    if tokens[count] < mask.vocabularySize { mask[tokens[count]] = true }
  }

  mutating func advance(_ token: Int32) { count += 1 }
}
