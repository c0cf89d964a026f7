/// What the logits of a step came to: for each run of the plan that samples, in order, the tokens drawn from its rows,
/// or why there are none. Refilled every step, so that a steady one allocates nothing.
package struct StepOutcome: Sendable {
  /// One run's.
  package struct Run: Sendable {
    /// In `tokens`: drafts that were right and the token after them, at least one unless `ending` is a failure.
    package var range: Range<Int>
    /// Why the request ends with the last of these tokens, beside what the scheduler knows itself.
    package var ending: FinishReason?
  }

  package private(set) var runs: [Run] = []
  package private(set) var tokens: [Int32] = []
  /// Of each token, if asked for.
  package private(set) var logprobs: [TokenLogprobs?] = []

  package init() {}

  package mutating func reserveCapacity(runs: Int, tokens: Int) {
    self.runs.reserveCapacity(runs)
    self.tokens.reserveCapacity(tokens)
    logprobs.reserveCapacity(tokens)
  }

  package mutating func removeAll() {
    runs.removeAll(keepingCapacity: true)
    tokens.removeAll(keepingCapacity: true)
    logprobs.removeAll(keepingCapacity: true)
  }

  /// The next run's first tokens follow.
  package mutating func beginRun() { runs.append(Run(range: tokens.count..<tokens.count, ending: nil)) }

  /// Adds a token to the newest run.
  package mutating func append(_ token: Int32, logprobs: TokenLogprobs? = nil) {
    tokens.append(token)
    self.logprobs.append(logprobs)
    runs[runs.count - 1].range = runs[runs.count - 1].range.lowerBound..<tokens.count
  }

  /// The newest run's request ends.
  package mutating func end(_ reason: FinishReason) { runs[runs.count - 1].ending = reason }
}
