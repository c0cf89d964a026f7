/// Makes a grammar deterministic: its states are sets of the grammar's, and a caller remembers its whole set,
/// so that how a rule was closed tells which of the set go on.
struct Determinizer {
  private struct Key: Hashable {
    var states: [Int32]
    /// Levels left, where they matter.
    var levels: Int32
  }

  private var grammar: Grammar
  private var heights: GrammarHeights
  private let alphabet: [Bool]
  private let levelsMax: Int?
  private let top: Int32
  /// By byte.
  private var classes: [UInt8] = []
  private var classCount = 0

  private var indices: [Key: Int32] = [:]
  private var keys: [Key] = []
  private var table: [Int32] = []
  private var entries: [Automaton.Entry] = []
  private var returns: [[Int32: Int32]] = []
  /// Sets of rules that one byte closes.
  private var ways: [[Int32]] = []
  private var wayIndices: [[Int32]: Int32] = [:]
  /// By rule: ways whose first rule it is, and states that call it.
  private var waysOfRule: [[Int32]] = []
  private var callersOfRule: [[Int32]] = []
  private var counterIndex: [Int32] = []
  private var counters: [Automaton.Counter] = []

  private var work = 0
  private var marks: [Int32]
  private var mark: Int32 = 0

  /// - Throws: `.unsatisfiable`, `.limitExceeded`.
  static func automaton(
    of grammar: Grammar, alphabet: [Bool], levelsMax: Int
  ) throws(GrammarError) -> Automaton {
    var grammar = grammar
    grammar.keep(alphabet)
    let heights = GrammarHeights(grammar, alphabet: alphabet, levelsMax: levelsMax)
    // A counted string must be able to grow.
    let counts = grammar.rules.contains { ($0.count?.lowerBound ?? 0) > 0 }
    let grows = JSONSpelling.escaped.complement.ranges[...1].joined().contains {
      $0 < 0x7F && alphabet[Int($0)]
    }
    guard heights.states[Int(grammar.start)] != GrammarHeights.infinite, grows || !counts else {
      throw .unsatisfiable("the constraint")
    }
    var determinizer = Determinizer(grammar, heights, alphabet: alphabet, levelsMax: levelsMax)
    return try determinizer.run()
  }

  private init(_ grammar: Grammar, _ heights: GrammarHeights, alphabet: [Bool], levelsMax: Int) {
    self.grammar = grammar
    self.heights = heights
    self.alphabet = alphabet
    self.levelsMax = heights.isRecursive ? levelsMax : nil
    top = heights.isRecursive ? heights.max : 0
    marks = Array(repeating: 0, count: grammar.states.count)
    waysOfRule = Array(repeating: [], count: grammar.rules.count)
    callersOfRule = waysOfRule
  }

  private mutating func run() throws(GrammarError) -> Automaton {
    classify()
    guard let start = try index(of: [grammar.start], levels: top) else {
      throw .unsatisfiable("the constraint")
    }
    var next = 0
    while next < keys.count {
      try expand(Int32(next))
      next += 1
    }
    var rows: [Int32] = [0]
    var returnWays: [Int32] = []
    var returnTargets: [Int32] = []
    for row in returns {
      for (way, target) in row.sorted(by: { $0.key < $1.key }) {
        returnWays.append(way)
        returnTargets.append(target)
      }
      rows.append(Int32(returnWays.count))
    }
    return Automaton(
      start: start, stateCount: keys.count, classes: classes, classCount: classCount, table: table,
      entries: entries, closesContainer: ways.map { grammar.rules[Int($0[0])].bracket.isContainer },
      returnRows: rows, returnWays: returnWays, returnTargets: returnTargets,
      accepting: keys.map { key in key.states.contains { grammar.states[Int($0)].isAccepting } },
      counterIndex: counterIndex, counterOwners: counterOwners, counters: counters, levelsMax: levelsMax,
      lowLevels: Int(top))
  }

  /// States that are reached from a counter's own, which belong to no other rule.
  private var counterOwners: [Int32] {
    var owners = counterIndex
    for (root, counter) in counterIndex.enumerated() where counter >= 0 {
      var open = [root]
      while let state = open.popLast() {
        for next in table[(state * classCount)..<((state + 1) * classCount)]
        where next >= 0 && owners[Int(next)] < 0 {
          owners[Int(next)] = counter
          open.append(Int(next))
        }
      }
    }
    return owners
  }

  /// Cuts the bytes where any edge begins or ends.
  private mutating func classify() {
    var begins = Array(repeating: false, count: 257)
    begins[0] = true
    for state in grammar.states {
      for edge in state.edges {
        begins[Int(edge.bytes.lowerBound)] = true
        begins[Int(edge.bytes.upperBound) + 1] = true
      }
    }
    for bracket in Grammar.Bracket.allCases where !grammar.rules.isEmpty {
      for byte in [bracket.opening, bracket.closing] {
        begins[Int(byte)] = true
        begins[Int(byte) + 1] = true
      }
    }
    for byte in 0..<256 {
      if begins[byte] { classCount += 1 }
      classes.append(UInt8(classCount - 1))
    }
  }

  /// The state for a set and all that may be read in its place; nil if nothing of it can end.
  private mutating func index(of seeds: [Int32], levels: Int32) throws(GrammarError) -> Int32? {
    mark += 1
    var set: [Int32] = []
    var open = seeds
    while let state = open.popLast() {
      guard marks[Int(state)] != mark else { continue }
      marks[Int(state)] = mark
      work += 1
      let value = grammar.states[Int(state)]
      open += value.choices
      guard isAlive(state, levels) else { continue }
      if !value.edges.isEmpty || !value.calls.isEmpty || value.finishes >= 0 || value.isAccepting {
        set.append(state)
      }
    }
    guard work <= GrammarLimits.work else {
      throw .limitExceeded(
        what: "the constraint takes too many steps to compile", limit: GrammarLimits.work)
    }
    guard !set.isEmpty else { return nil }
    set.sort()
    let key = Key(states: set, levels: levels)
    if let known = indices[key] { return known }
    guard keys.count < GrammarLimits.states, table.count + classCount <= GrammarLimits.tableCells else {
      throw .limitExceeded(
        what: "the constraint needs too many states to be deterministic",
        limit: min(GrammarLimits.states, GrammarLimits.tableCells / classCount))
    }
    let index = Int32(keys.count)
    indices[key] = index
    keys.append(key)
    table += Array(repeating: -1, count: classCount)
    returns.append([:])
    counterIndex.append(-1)
    return index
  }

  private func isAlive(_ state: Int32, _ levels: Int32) -> Bool {
    let height = heights.states[Int(state)]
    return levelsMax == nil ? height != GrammarHeights.infinite : height <= levels
  }

  private mutating func expand(_ index: Int32) throws(GrammarError) {
    let key = keys[Int(index)]
    try expandEdges(index, key)
    var closed: [Int32] = []
    var called: [[Int32]] = Array(repeating: [], count: Grammar.Bracket.allCases.count)
    for state in key.states {
      let value = grammar.states[Int(state)]
      if value.finishes >= 0 { closed.append(value.finishes) }
      for call in value.calls where isAlive(call.target, key.levels) {
        let height = heights.rules[Int(call.rule)]
        guard height != GrammarHeights.infinite, levelsMax == nil || height <= key.levels else { continue }
        called[grammar.rules[Int(call.rule)].bracket.rawValue].append(call.rule)
      }
    }
    for bracket in Grammar.Bracket.allCases where !called[bracket.rawValue].isEmpty {
      try addCall(bracket, Set(called[bracket.rawValue]).sorted(), index, key.levels)
    }
    guard !closed.isEmpty else { return }
    let rules = Set(closed).sorted()
    let closing = grammar.rules[Int(rules[0])].bracket.closing
    set(.close(try way(of: rules)), closing, index)
    if key.states.count == 1, let count = grammar.rules[Int(rules[0])].count,
      key.states[0] == grammar.rules[Int(rules[0])].start
    {
      counterIndex[Int(index)] = Int32(counters.count)
      counters.append(
        Automaton.Counter(
          min: Int32(clamping: count.lowerBound), max: Int32(clamping: count.upperBound)))
    }
  }

  private mutating func set(_ move: Automaton.Move, _ byte: UInt8, _ index: Int32) {
    let cell = Int(index) * classCount + Int(classes[Int(byte)])
    precondition(table[cell] == -1, "byte \(byte) both is text and opens or closes a rule")
    table[cell] = Automaton.cell(move)
  }

  private mutating func expandEdges(_ index: Int32, _ key: Key) throws(GrammarError) {
    var targets: [[Int32]] = Array(repeating: [], count: classCount)
    for state in key.states {
      for edge in grammar.states[Int(state)].edges {
        let first = Int(classes[Int(edge.bytes.lowerBound)])
        let last = Int(classes[Int(edge.bytes.upperBound)])
        for column in first...last { targets[column].append(edge.target) }
        work += last - first + 1
      }
    }
    var previous: (targets: [Int32], cell: Int32) = ([], -1)
    for column in 0..<classCount where !targets[column].isEmpty {
      if targets[column] != previous.targets {
        previous = (targets[column], try self.index(of: targets[column], levels: key.levels) ?? -1)
      }
      table[Int(index) * classCount + column] = previous.cell
    }
  }
}

// MARK: - Calls

extension Determinizer {
  private mutating func addCall(
    _ bracket: Grammar.Bracket, _ rules: [Int32], _ index: Int32, _ levels: Int32
  ) throws(GrammarError) {
    var starts: [Int32] = []
    for rule in rules {
      // Rules that are read together are told apart by their states: none may count for itself.
      let expands = rules.count > 1 && grammar.rules[Int(rule)].count != nil
      starts.append(expands ? try expandedStart(of: rule) : grammar.rules[Int(rule)].start)
    }
    // Strings nest nothing: they have the same states however many levels are left.
    let inner = !bracket.isContainer ? top : levelsMax != nil ? levels - 1 : levels
    let isTop = levelsMax != nil && bracket.isContainer && levels == top
    let low = try self.index(of: starts, levels: inner)
    let full = isTop ? try self.index(of: starts, levels: top) : low
    guard let low, let full else { preconditionFailure("a rule that can end has no state") }
    let entry = Automaton.Entry(state: full, lowState: low, isContainer: bracket.isContainer)
    set(.call(entries.count), bracket.opening, index)
    entries.append(entry)
    for rule in rules {
      callersOfRule[Int(rule)].append(index)
      for way in waysOfRule[Int(rule)] where ways[Int(way)].allSatisfy({ rules.contains($0) }) {
        try addReturn(way, to: index)
      }
    }
  }

  private mutating func way(of rules: [Int32]) throws(GrammarError) -> Int32 {
    if let known = wayIndices[rules] { return known }
    let way = Int32(ways.count)
    wayIndices[rules] = way
    ways.append(rules)
    waysOfRule[Int(rules[0])].append(way)
    for caller in callersOfRule[Int(rules[0])] { try addReturn(way, to: caller) }
    return way
  }

  /// Where `caller` goes on after rules were closed together. Nothing, if it does not call all of them.
  private mutating func addReturn(_ way: Int32, to caller: Int32) throws(GrammarError) {
    let key = keys[Int(caller)]
    var targets: [Int32] = []
    var missing = Set(ways[Int(way)])
    for state in key.states {
      for call in grammar.states[Int(state)].calls {
        work += 1
        guard ways[Int(way)].contains(call.rule), isAlive(call.target, key.levels) else { continue }
        missing.remove(call.rule)
        targets.append(call.target)
      }
    }
    guard missing.isEmpty, let target = try index(of: targets, levels: key.levels) else { return }
    returns[Int(caller)][way] = target
  }

  private mutating func expandedStart(of rule: Int32) throws(GrammarError) -> Int32 {
    if let known = grammar.rules[Int(rule)].expandedStart { return known }
    guard let count = grammar.rules[Int(rule)].count else {
      preconditionFailure("rule \(rule) counts nothing")
    }
    let known = grammar.states.count
    let start = try grammar.addJSONString(count: count, finishing: rule)
    grammar.setExpandedStart(start, of: rule)
    grammar.keep(alphabet, from: known)
    heights.addFlat(grammar, from: known)
    marks += Array(repeating: 0, count: grammar.states.count - known)
    return start
  }
}
