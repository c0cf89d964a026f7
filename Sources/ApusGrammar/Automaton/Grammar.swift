/// A language of bytes as it is written down: states with bytes, choices and calls between them.
///
/// A call enters a rule, which ends where it began: JSON's strings, arrays and objects are rules, and what
/// opens and closes them is one byte each, read nowhere else where a call could be. So all ways to read a
/// text are equally deep in rules at each of its bytes, and one stack serves them all: a visibly pushdown
/// language (Alur, Madhusudan: Visibly Pushdown Languages, 2004), which can be made deterministic however the
/// choices overlap.
struct Grammar {
  enum Bracket: Int, CaseIterable {
    case string, array, object

    var opening: UInt8 { [UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "{")][rawValue] }
    var closing: UInt8 { [UInt8(ascii: "\""), UInt8(ascii: "]"), UInt8(ascii: "}")][rawValue] }
    /// Whether it counts as a level of nesting.
    var isContainer: Bool { self != .string }
  }

  struct Rule {
    var bracket: Bracket
    /// The state after the opening byte.
    var start: Int32
    /// How many times `start` may be left by another byte than the closing one, for a rule that is a loop
    /// through `start`: characters of a string, which are counted while they come and need no states.
    var count: ClosedRange<Int>?
    /// The same without counting, made where the rule is called together with others.
    var expandedStart: Int32?
  }

  struct Edge {
    var bytes: ClosedRange<UInt8>
    var target: Int32
  }

  struct Call {
    var rule: Int32
    var target: Int32
  }

  struct State {
    var edges: [Edge] = []
    var choices: [Int32] = []
    var calls: [Call] = []
    /// The rule that may be closed here; -1 for none.
    var finishes: Int32 = -1
    /// The text may end here.
    var isAccepting = false
  }

  private(set) var states: [State] = []
  private(set) var rules: [Rule] = []
  var start: Int32 = 0

  mutating func addState() throws(GrammarError) -> Int32 {
    guard states.count < GrammarLimits.nondeterministicStates else {
      throw .limitExceeded(
        what: "the constraint needs too many states", limit: GrammarLimits.nondeterministicStates)
    }
    states.append(State())
    return Int32(states.count - 1)
  }

  mutating func addEdge(_ bytes: ClosedRange<UInt8>, from source: Int32, to target: Int32) {
    states[Int(source)].edges.append(Edge(bytes: bytes, target: target))
  }

  mutating func addEdge(_ byte: UInt8, from source: Int32, to target: Int32) {
    addEdge(byte...byte, from: source, to: target)
  }

  /// `target` may be read as if it were `source`.
  mutating func addChoice(from source: Int32, to target: Int32) {
    states[Int(source)].choices.append(target)
  }

  mutating func addCall(_ rule: Int32, from source: Int32, to target: Int32) {
    states[Int(source)].calls.append(Call(rule: rule, target: target))
  }

  mutating func addRule(_ bracket: Bracket, start: Int32, count: ClosedRange<Int>? = nil) -> Int32 {
    rules.append(Rule(bracket: bracket, start: start, count: count))
    return Int32(rules.count - 1)
  }

  mutating func finish(_ rule: Int32, at state: Int32) { states[Int(state)].finishes = rule }

  mutating func accept(at state: Int32) { states[Int(state)].isAccepting = true }

  /// Bytes one after another; the state after the last is `target`, or a new one.
  @discardableResult
  mutating func addBytes(
    _ bytes: some Collection<UInt8>, from source: Int32, to target: Int32? = nil
  ) throws(GrammarError) -> Int32 {
    var state = source
    var left = bytes.count
    for byte in bytes {
      left -= 1
      let next = if left == 0, let target { target } else { try addState() }
      addEdge(byte, from: state, to: next)
      state = next
    }
    if bytes.isEmpty, let target { addChoice(from: source, to: target) }
    return state
  }

  /// Takes away the bytes that cannot be spelled.
  mutating func keep(_ alphabet: [Bool], from first: Int = 0) {
    guard alphabet.contains(false) else { return }
    for index in first..<states.count where !states[index].edges.isEmpty {
      states[index].edges = states[index].edges.flatMap { edge in
        edge.bytes.pieces(in: alphabet).map { Edge(bytes: $0, target: edge.target) }
      }
    }
  }

  mutating func setStart(_ state: Int32, of rule: Int32) { rules[Int(rule)].start = state }

  mutating func setExpandedStart(_ state: Int32, of rule: Int32) { rules[Int(rule)].expandedStart = state }
}

extension ClosedRange<UInt8> {
  /// The stretches of these bytes that `alphabet` has.
  fileprivate func pieces(in alphabet: [Bool]) -> [ClosedRange<UInt8>] {
    var pieces: [ClosedRange<UInt8>] = []
    var first: UInt8?
    for byte in self {
      if alphabet[Int(byte)] {
        if first == nil { first = byte }
      } else if let start = first {
        pieces.append(start...(byte - 1))
        first = nil
      }
    }
    if let first { pieces.append(first...upperBound) }
    return pieces
  }
}
