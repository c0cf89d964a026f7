public import ApusGrammar
public import ApusModel
public import ApusTokenizer
import Synchronization

/// Makes constraints for the tokens of one model, and keeps those that were asked for last.
///
/// The tree of the model's tokens is made at the first call: some tenths of a second for 150,000 of them.
public final class ConstraintCompiler: Sendable {
  /// Compiled constraints that are kept, at most.
  public static let keptMax = 16

  private struct Key: Equatable {
    var format: OutputFormat
    var options: GrammarOptions
  }

  private struct State {
    var vocabulary: TokenVocabulary?
    /// The one that was asked for last is the last.
    var kept: [(key: Key, grammar: CompiledGrammar)] = []
  }

  private let tokenizer: Tokenizer
  private let vocabularySize: Int
  private let eosTokenIDs: [Int32]
  private let state = Mutex(State())

  public init(_ tokenizer: Tokenizer, _ configuration: ModelConfiguration) {
    self.tokenizer = tokenizer
    vocabularySize = configuration.vocabularySize
    eosTokenIDs = configuration.producibleEOSTokenIDs
  }

  /// A constraint at its beginning, for one request or for each of many. From any thread; compiles, if the
  /// same was not asked for a short time ago.
  /// - Throws: `GrammarError`.
  public func constraint(
    for format: OutputFormat, options: GrammarOptions = GrammarOptions()
  ) throws(GrammarError) -> GrammarConstraint {
    let key = Key(format: format, options: options)
    let (known, vocabulary) = state.withLock { state in
      let known = state.kept.firstIndex { $0.key == key }.map { index in
        let entry = state.kept.remove(at: index)
        state.kept.append(entry)
        return entry.grammar
      }
      let vocabulary = state.vocabulary ?? makeVocabulary()
      state.vocabulary = vocabulary
      return (known, vocabulary)
    }
    if let known { return GrammarConstraint(known) }
    // Without the lock: a large schema makes nobody wait but who asked for it.
    let grammar = try CompiledGrammar(format, options: options, vocabulary: vocabulary)
    state.withLock { state in
      if state.kept.count == Self.keptMax { state.kept.removeFirst() }
      state.kept.append((key, grammar))
    }
    return GrammarConstraint(grammar)
  }

  private func makeVocabulary() -> TokenVocabulary {
    TokenVocabulary(size: vocabularySize, eosTokenIDs: eosTokenIDs) { tokenizer.bytes(of: $0) }
  }
}

extension ModelConfiguration {
  /// Tokens that end a text, of those the model can produce.
  var producibleEOSTokenIDs: [Int32] {
    eosTokenIDs.filter { (0..<vocabularySize).contains($0) }.map(Int32.init)
  }
}
