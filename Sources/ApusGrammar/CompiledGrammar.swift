public import ApusEngine
import ApusCheckpoint
import Synchronization

/// A constraint compiled for a vocabulary. Immutable but for masks that it keeps; shared between requests.
public final class CompiledGrammar: Sendable {
  let automaton: Automaton
  let vocabulary: TokenVocabulary
  /// States after which nothing may come.
  private let final: [Bool]
  private let masks: Mutex<MaskCache>

  /// Takes milliseconds, seconds at the limits: not for the engine's thread.
  /// - Throws: `GrammarError`.
  public init(
    _ format: OutputFormat, options: GrammarOptions = GrammarOptions(), vocabulary: TokenVocabulary
  ) throws(GrammarError) {
    guard GrammarOptions.nestingRange.contains(options.nestingMax) else {
      let range = GrammarOptions.nestingRange
      throw .invalidOption(
        field: "nestingMax", value: "\(options.nestingMax)",
        expected: "\(range.lowerBound)...\(range.upperBound)")
    }
    let grammar = try Grammar.grammar(for: format, options)
    let automaton = try Self.automaton(of: grammar, format, options, vocabulary)
    self.automaton = automaton
    self.vocabulary = vocabulary
    final = (0..<Int32(automaton.stateCount)).map { automaton.accepting[Int($0)] && automaton.isFinal($0) }
    guard !final[Int(automaton.start)] else { throw .unsatisfiable("\(format.name) but the empty one") }
    masks = Mutex(MaskCache(automaton, vocabulary))
  }

  private static func automaton(
    of grammar: Grammar, _ format: OutputFormat, _ options: GrammarOptions, _ vocabulary: TokenVocabulary
  ) throws(GrammarError) -> Automaton {
    do throws(GrammarError) {
      return try Determinizer.automaton(
        of: grammar, alphabet: vocabulary.alphabet, levelsMax: options.nestingMax)
    } catch .unsatisfiable {
      let every = Array(repeating: true, count: 256)
      guard (try? Determinizer.automaton(of: grammar, alphabet: every, levelsMax: options.nestingMax)) != nil
      else { throw .unsatisfiable(format.name) }
      throw .unspellable(missing: grammar.bytes.filter { !vocabulary.alphabet[Int($0)] })
    }
  }

  func isFinal(_ state: AutomatonState) -> Bool { state.stack.isEmpty && final[Int(state.state)] }

  func isAccepting(_ state: AutomatonState) -> Bool {
    state.stack.isEmpty && automaton.accepting[Int(state.state)]
  }

  func fill(_ mask: inout TokenMask, at state: AutomatonState) {
    masks.withLock { $0.fill(&mask, at: state) }
    guard isAccepting(state) else { return }
    for token in vocabulary.eosTokenIDs { mask[token] = true }
  }
}

/// A compiled constraint with what a request has generated so far.
///
/// A step costs a copy of the state's mask and a walk over the tokens that close what is open; a state that
/// is met for the first time, one walk over the tree of all tokens: milliseconds for 150,000 of them. Both
/// are bounded, whatever the constraint.
public struct GrammarConstraint: TokenConstraint {
  private let grammar: CompiledGrammar
  private var state: AutomatonState
  private var hasEnded = false

  public init(_ grammar: CompiledGrammar) {
    self.grammar = grammar
    state = AutomatonState(grammar.automaton)
  }

  public mutating func allowedTokens(into mask: inout TokenMask) {
    if hasEnded { return mask.removeAll() }
    grammar.fill(&mask, at: state)
  }

  public mutating func advance(_ token: Int32) {
    if grammar.vocabulary.eosTokenIDs.contains(token) {
      hasEnded = true
      return
    }
    guard let bytes = grammar.vocabulary.bytes(of: token) else {
      preconditionFailure("token \(token) is no text, and was not allowed")
    }
    for byte in bytes {
      let isRead = state.read(byte, grammar.automaton)
      precondition(isRead, "token \(token) was not allowed")
    }
  }

  public var isComplete: Bool { hasEnded || grammar.isFinal(state) }
}

extension Grammar {
  /// Bytes that any of its texts may have.
  fileprivate var bytes: [UInt8] {
    var found = Array(repeating: false, count: 256)
    for edge in states.lazy.flatMap(\.edges) {
      for byte in edge.bytes { found[Int(byte)] = true }
    }
    for rule in rules {
      found[Int(rule.bracket.opening)] = true
      found[Int(rule.bracket.closing)] = true
    }
    return (0...255).filter { found[Int($0)] }
  }

  fileprivate static func grammar(
    for format: OutputFormat, _ options: GrammarOptions
  ) throws(GrammarError) -> Grammar {
    switch format {
    case .regex(let pattern):
      let node = try PatternAnchors(source: pattern).whole(try PatternParser.parse(pattern))
      return try plain(node)
    case .choice(let texts):
      let byteCount = texts.reduce(0) { $0 + $1.utf8.count }
      guard byteCount <= GrammarLimits.textBytes else {
        throw .limitExceeded(what: "choices of \(byteCount) bytes", limit: GrammarLimits.textBytes)
      }
      var grammar = Grammar()
      grammar.start = try grammar.addState()
      for text in texts { grammar.accept(at: try grammar.addBytes(text.utf8, from: grammar.start)) }
      return grammar
    case .jsonObject:
      return try JSONGrammarBuilder.grammar(
        for: .boolean(true), whitespace: options.whitespace, objectsOnly: true)
    case .json(let schema):
      return try JSONGrammarBuilder.grammar(for: try parse(schema), whitespace: options.whitespace)
    }
  }

  private static func parse(_ schema: String) throws(GrammarError) -> JSONValue {
    guard schema.utf8.count <= GrammarLimits.textBytes else {
      throw .limitExceeded(what: "a schema of \(schema.utf8.count) bytes", limit: GrammarLimits.textBytes)
    }
    let bytes = Array(schema.utf8)
    do {
      return try bytes.withUnsafeBytes { (bytes) throws(CheckpointError) in
        try JSONValue(parsing: bytes, file: "schema")
      }
    } catch { throw .malformedSchema("\(error)") }
  }
}

extension OutputFormat {
  fileprivate var name: String {
    switch self {
    case .jsonObject: "the format of JSON objects"
    case .json: "the schema"
    case .regex(let pattern): "the pattern \(shown(pattern))"
    case .choice(let texts): "a choice of \(texts.count) texts"
    }
  }
}
