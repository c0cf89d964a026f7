import ApusEngine
@testable import ApusGrammar
import TestSupport

extension TokenMask {
  var tokens: [Int32] { (0..<Int32(vocabularySize)).filter { self[$0] } }
}

extension CompiledGrammar {
  /// Whether the automaton reads all of `text` and may end there.
  func accepts(_ text: some Sequence<UInt8>) -> Bool {
    var state = AutomatonState(automaton)
    return text.allSatisfy { state.read($0, automaton) } && isAccepting(state)
  }

  /// Whether masks allow the tokens one after another, and then the end.
  func allows(_ tokens: [Int32]) -> Bool {
    var constraint = GrammarConstraint(self)
    var mask = TokenMask(vocabularySize: vocabulary.size)
    for token in tokens {
      guard !constraint.isComplete else { return false }
      constraint.allowedTokens(into: &mask)
      guard mask[token] else { return false }
      constraint.advance(token)
    }
    if constraint.isComplete { return true }
    constraint.allowedTokens(into: &mask)
    return vocabulary.eosTokenIDs.contains { mask[$0] }
  }

  /// A text made of random allowed tokens. Longer ones lean towards what closes.
  /// - Parameter visit: is shown every state with its mask.
  /// - Returns: nil at a dead end, or where there is no end in sight.
  func randomText(
    _ random: inout SplitMix64, visit: (AutomatonState, TokenMask) -> Void = { _, _ in }
  ) -> [UInt8]? {
    var constraint = GrammarConstraint(self)
    var state = AutomatonState(automaton)
    var mask = TokenMask(vocabularySize: vocabulary.size)
    var text: [UInt8] = []
    for step in 0..<2000 {
      if constraint.isComplete { return text }
      constraint.allowedTokens(into: &mask)
      visit(state, mask)
      let allowed = mask.tokens
      guard var token = allowed.randomElement(using: &random) else { return nil }
      if Int.random(in: 0..<40, using: &random) < 8 + step {
        let ends = allowed.filter { id in
          vocabulary.bytes(of: id).map { "\"]}".utf8.contains($0.first!) && (step < 60 || $0.count == 1) }
            ?? true
        }
        token = ends.randomElement(using: &random) ?? token
      }
      constraint.advance(token)
      for byte in vocabulary.bytes(of: token) ?? [] where !state.read(byte, automaton) { return nil }
      text += vocabulary.bytes(of: token) ?? []
    }
    return nil
  }
}
