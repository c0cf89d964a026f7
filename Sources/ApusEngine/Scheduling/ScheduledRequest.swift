/// What the scheduler keeps of a request: its tokens and how far the model has come with them.
///
/// The cache holds the first `computed` of `tokens`. A request is **prefilling** while more than its newest
/// token is missing or nothing was generated, and **decoding** after: one row a step. Forgetting a slot's
/// history is therefore `computed = 0`, and the request runs again from its tokens.
package struct ScheduledRequest: Sendable, Equatable {
  package let id: RequestID
  /// The prompt, then what was generated.
  package internal(set) var tokens: [Int32]
  package let promptCount: Int
  /// Tokens to generate at most, the end of the context considered.
  package let maxTokens: Int
  /// Tokens that end the request.
  package let stopTokenIDs: [Int32]
  /// Positions the request's slot holds in the KV cache.
  package internal(set) var computed = 0

  package init(id: RequestID, promptTokens: [Int32], maxTokens: Int, stopTokenIDs: [Int32]) {
    precondition(!promptTokens.isEmpty && maxTokens >= 1, "a request without work")
    self.id = id
    self.tokens = promptTokens
    self.promptCount = promptTokens.count
    self.maxTokens = maxTokens
    self.stopTokenIDs = stopTokenIDs
  }

  package var generatedCount: Int { tokens.count - promptCount }
  package var isDecoding: Bool { generatedCount > 0 && computed == tokens.count - 1 }
  /// Positions the request takes if it runs to `maxTokens`; the last token is never written.
  package var positionsMax: Int { promptCount + maxTokens - 1 }
}
