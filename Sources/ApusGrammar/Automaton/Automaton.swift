/// A deterministic pushdown automaton over bytes: what a constraint allows after any text it allows.
///
/// Immutable, and without dead ends: from every state that is reached, by bytes of the alphabet, a text can
/// be ended.
struct Automaton: Sendable {
  /// What a byte does in a state.
  enum Move: Equatable {
    case dead
    case next(Int32)
    /// Enters a rule. `Automaton.entries` says where.
    case call(Int)
    /// Closes the rule, in one of the ways that states below tell apart.
    case close(Int32)
  }

  /// Where a call enters: the state above the one that is left behind.
  struct Entry: Sendable, Equatable {
    var state: Int32
    /// The same where fewer levels are left than any text may need.
    var lowState: Int32
    var isContainer: Bool
  }

  /// A state that counts how often it is left: see `Grammar.Rule.count`.
  struct Counter: Sendable {
    var min: Int32
    var max: Int32
  }

  let start: Int32
  let stateCount: Int
  /// `[256]`: bytes that no state tells apart have one class.
  let classes: [UInt8]
  let classCount: Int
  /// `[state][class]`: 0 and up: the next state; -1: none; below, `Move` by the lowest bit.
  let table: [Int32]
  let entries: [Entry]
  /// By way of closing: whether what is closed counts as a level.
  let closesContainer: [Bool]
  /// By state, rows of `returnWays` and `returnTargets`, ways ascending.
  let returnRows: [Int32]
  let returnWays: [Int32]
  let returnTargets: [Int32]
  let accepting: [Bool]
  /// By state; -1 for most.
  let counterIndex: [Int32]
  /// By state: the counter of the rule it belongs to; -1 for none.
  let counterOwners: [Int32]
  let counters: [Counter]
  /// Levels of nesting, at most; nil where the constraint itself bounds them.
  let levelsMax: Int?
  /// Fewer levels than this make a difference.
  let lowLevels: Int

  static func cell(_ move: Move) -> Int32 {
    switch move {
    case .dead: -1
    case .next(let state): state
    case .call(let index): -2 - 2 * Int32(index)
    case .close(let way): -3 - 2 * way
    }
  }

  static func move(_ cell: Int32) -> Move {
    if cell >= 0 { return .next(cell) }
    if cell == -1 { return .dead }
    let value = -2 - cell
    return value & 1 == 0 ? .call(Int(value >> 1)) : .close(value >> 1)
  }

  func move(_ state: Int32, _ byte: UInt8) -> Move {
    Self.move(table[Int(state) * classCount + Int(classes[Int(byte)])])
  }

  /// The state of a caller after what it called was closed.
  func target(of state: Int32, after way: Int32) -> Int32 {
    var low = Int(returnRows[Int(state)])
    var high = Int(returnRows[Int(state) + 1])
    while low < high {
      let middle = (low + high) / 2
      if returnWays[middle] < way { low = middle + 1 } else { high = middle }
    }
    precondition(low < Int(returnRows[Int(state) + 1]) && returnWays[low] == way, "no way back")
    return returnTargets[low]
  }

  /// Whether a text in this state can only end.
  func isFinal(_ state: Int32) -> Bool {
    let row = Int(state) * classCount
    return table[row..<(row + classCount)].allSatisfy { $0 == -1 }
  }
}

/// Where a text is in an automaton. A value: copied for each completion.
struct AutomatonState: Sendable, Equatable {
  var state: Int32
  /// Of a counter's state.
  var count: Int32 = 0
  /// Callers, outermost first.
  var stack: [Int32] = []
  /// Containers among what was called.
  var levels = 0

  init(_ automaton: Automaton) { state = automaton.start }

  /// Reads a byte. False where it may not come; then the state says nothing.
  mutating func read(_ byte: UInt8, _ automaton: Automaton) -> Bool {
    let move = automaton.move(state, byte)
    if automaton.counterIndex[Int(state)] >= 0 {
      let counter = automaton.counters[Int(automaton.counterIndex[Int(state)])]
      if case .close = move { guard count >= counter.min else { return false } }
      if case .next = move {
        guard count < counter.max else { return false }
        // Only a counter without an end gets this far.
        if count < Int32.max - 1 { count += 1 }
      }
    }
    switch move {
    case .dead: return false
    case .next(let next): state = next
    case .call(let index):
      let entry = automaton.entries[index]
      stack.append(state)
      count = 0
      state = entry.state
      if entry.isContainer {
        levels += 1
        if let most = automaton.levelsMax, most - levels < automaton.lowLevels { state = entry.lowState }
      }
    case .close(let way):
      state = automaton.target(of: stack.removeLast(), after: way)
      if automaton.closesContainer[Int(way)] { levels -= 1 }
    }
    return true
  }
}
