/// How a request's drafts have fared, and so how many tokens are worth drafting.
package struct DraftRecord: Sendable, Equatable {
  /// Share of drafted tokens that were accepted lately, 0...1.
  package private(set) var acceptance = 0.6

  /// Weight of one token, and what a chance that was let pass gives back, so that a request whose text begins to
  /// repeat is found out: a hopeless one drafts a token in a few dozen.
  private static let weight = 0.15
  private static let recovery = 0.004

  package init() {}

  /// Of so many drafted tokens the first `accepted` were right. Tokens after the first wrong one say nothing.
  package mutating func record(drafted: Int, accepted: Int) {
    for index in 0..<min(drafted, accepted + 1) {
      acceptance += Self.weight * ((index < accepted ? 1 : 0) - acceptance)
    }
  }

  /// A draft was there and not worth its rows.
  package mutating func pass() { acceptance = min(1, acceptance + Self.recovery) }

  /// Tokens worth drafting, at most `limit`, in a step of `rows` rows: the n-th is right with the n-th power of
  /// `acceptance`, and must give more tokens for the time of its row than the step gives without it.
  package func count(limit: Int, rows: Int, costs: StepCosts) -> Int {
    var count = 0
    var probability = acceptance
    while count < limit, probability > costs.leastUsefulProbability(rows: rows + count) {
      count += 1
      probability *= acceptance
    }
    return count
  }
}
