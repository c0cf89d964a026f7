/// What the scheduler keeps of a request: its tokens and how far the model has come with them.
///
/// The cache holds the first `computed` of `tokens`. A request is **prefilling** while more than its newest
/// token is missing or nothing was generated, and **decoding** after: one row a step, and those of drafts.
/// Forgetting a slot's history is therefore `computed = 0`, and the request runs again from its tokens.
package struct ScheduledRequest: Sendable {
  package let id: RequestID
  /// The prompt, then what was generated.
  package internal(set) var tokens: [Int32]
  package let promptCount: Int
  /// Tokens to generate at most, the end of the context considered.
  package let maxTokens: Int
  /// Tokens that end the request.
  package let stopTokenIDs: [Int32]
  /// Tokens to generate before one of these ends it.
  package let minTokens: Int
  /// Lower goes first where a policy asks, and is preempted last.
  package let priority: Int
  package let tenant: String
  /// When the request ends if it still waits for its first slot, and if it is not done.
  package let queueDeadline: Duration?
  package let deadline: Duration?
  /// The request whose first `sharedCount` tokens are this one's too, by name: a completion of the same prompt, or
  /// what this one was forked from. Its pages are shared while it runs.
  package let family: RequestID?
  package let sharedCount: Int
  /// Logits of the prompt's rows are wanted too, so all of them must run.
  package let scoresPrompt: Bool

  /// Positions the request's slot holds in the KV cache.
  package internal(set) var computed = 0
  /// Positions of the prompt whose logits were given.
  var scored = 0
  /// Later ones that got their first slots while it waited.
  var overtaken = 0
  var wasAdmitted = false
  var drafts = DraftRecord()

  package init(
    id: RequestID, promptTokens: [Int32], generatedTokens: [Int32] = [], maxTokens: Int,
    stopTokenIDs: [Int32] = [], minTokens: Int = 0, priority: Int = 0, tenant: String = "",
    queueDeadline: Duration? = nil, deadline: Duration? = nil, family: RequestID? = nil, sharedCount: Int = 0,
    scoresPrompt: Bool = false
  ) {
    precondition(!promptTokens.isEmpty && maxTokens > generatedTokens.count, "a request without work")
    self.id = id
    tokens = promptTokens + generatedTokens
    promptCount = promptTokens.count
    self.maxTokens = maxTokens
    self.stopTokenIDs = stopTokenIDs
    self.minTokens = minTokens
    self.priority = priority
    self.tenant = tenant
    self.queueDeadline = queueDeadline
    self.deadline = deadline
    self.family = family
    self.sharedCount = sharedCount
    self.scoresPrompt = scoresPrompt
  }

  package var generatedCount: Int { tokens.count - promptCount }
  package var isDecoding: Bool { generatedCount > 0 && computed == tokens.count - 1 }
  /// Positions the request takes if it runs to `maxTokens`; the last token is never written.
  package var positionsMax: Int { promptCount + maxTokens - 1 }
  /// Rows left if it runs to `maxTokens`.
  package var remaining: Int { tokens.count - computed + maxTokens - generatedCount }
  /// Whether rows of the prompt are still wanted for their logits.
  var mustScorePrompt: Bool { scoresPrompt && scored < promptCount }

  /// Why the request ends if `token` is its next one. Nil: it goes on.
  package func finishReason(after token: Int32, generatedCount: Int) -> FinishReason? {
    if generatedCount >= minTokens && stopTokenIDs.contains(token) { return .stop(token: token) }
    return generatedCount + 1 >= maxTokens ? .length : nil
  }

  /// For policies.
  var waiting: WaitingRequest {
    WaitingRequest(priority: priority, tenant: tenant, length: tokens.count, remaining: remaining)
  }
}
