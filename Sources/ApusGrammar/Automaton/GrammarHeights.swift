/// How deep in levels of nesting a state's text must at least still go before its rule, or the text, can end.
///
/// What cannot end has no height: it is left out of every automaton, so that no automaton has a dead end.
/// Where levels are limited, a state is left out as soon as its height is above what is left.
struct GrammarHeights {
  static let infinite = Int32.max
  /// By state.
  private(set) var states: [Int32]
  /// By rule: of a whole text of the rule, its own level included.
  private(set) var rules: [Int32]
  /// The largest finite height.
  private(set) var max: Int32 = 0
  /// Whether texts may nest beyond any limit.
  private(set) var isRecursive = false

  /// - Parameter alphabet: bytes that can be spelled.
  init(_ grammar: Grammar, alphabet: [Bool], levelsMax: Int) {
    states = Array(repeating: Self.infinite, count: grammar.states.count)
    rules = Array(repeating: Self.infinite, count: grammar.rules.count)
    var sources: [[Int32]] = Array(repeating: [], count: grammar.states.count)
    var callers: [[(state: Int32, target: Int32)]] = Array(repeating: [], count: grammar.rules.count)
    for (index, state) in grammar.states.enumerated() {
      for edge in state.edges { sources[Int(edge.target)].append(Int32(index)) }
      for target in state.choices { sources[Int(target)].append(Int32(index)) }
      for call in state.calls { callers[Int(call.rule)].append((Int32(index), call.target)) }
    }
    // A call's height is the larger of the rule's and the target's, so it is settled at the later of the two.
    var calls: [[(state: Int32, rule: Int32)]] = Array(repeating: [], count: grammar.states.count)
    for (rule, sites) in callers.enumerated() {
      for site in sites { calls[Int(site.target)].append((site.state, Int32(rule))) }
    }
    var starts: [Int32: [Int32]] = [:]
    for (rule, value) in grammar.rules.enumerated() { starts[value.start, default: []].append(Int32(rule)) }
    func spells(_ bracket: Grammar.Bracket) -> Bool {
      alphabet[Int(bracket.opening)] && alphabet[Int(bracket.closing)]
    }

    var buckets: [[Int32]] = Array(repeating: [], count: levelsMax + 1)
    for (index, state) in grammar.states.enumerated() where state.isAccepting || state.finishes >= 0 {
      buckets[0].append(Int32(index))
    }
    for height in 0...levelsMax {
      while let state = buckets[height].popLast() {
        guard states[Int(state)] == Self.infinite else { continue }
        states[Int(state)] = Int32(height)
        max = Swift.max(max, Int32(height))
        buckets[height] += sources[Int(state)]
        for call in calls[Int(state)] where rules[Int(call.rule)] != Self.infinite {
          buckets[Swift.max(height, Int(rules[Int(call.rule)]))].append(call.state)
        }
        for rule in starts[state] ?? [] where rules[Int(rule)] == Self.infinite {
          let bracket = grammar.rules[Int(rule)].bracket
          let ruleHeight = height + (bracket.isContainer ? 1 : 0)
          guard ruleHeight <= levelsMax, spells(bracket) else { continue }
          rules[Int(rule)] = Int32(ruleHeight)
          max = Swift.max(max, Int32(ruleHeight))
          for caller in callers[Int(rule)] where states[Int(caller.target)] != Self.infinite {
            buckets[ruleHeight].append(caller.state)
          }
        }
      }
    }
    isRecursive = Self.isRecursive(grammar, self, levelsMax)
  }

  /// Takes states from `first` on, which call nothing and are reached from no others yet.
  mutating func addFlat(_ grammar: Grammar, from first: Int) {
    let count = grammar.states.count
    states += Array(repeating: Self.infinite, count: count - first)
    var sources: [[Int32]] = Array(repeating: [], count: count - first)
    var open: [Int32] = []
    for index in first..<count {
      let state = grammar.states[index]
      for target in state.edges.map(\.target) + state.choices where Int(target) >= first {
        sources[Int(target) - first].append(Int32(index))
      }
      if state.finishes >= 0 { open.append(Int32(index)) }
    }
    while let state = open.popLast() {
      guard states[Int(state)] == Self.infinite else { continue }
      states[Int(state)] = 0
      open += sources[Int(state) - first]
    }
  }

  /// Whether rules call each other in a circle, or deeper than `levelsMax`.
  private static func isRecursive(_ grammar: Grammar, _ heights: GrammarHeights, _ levelsMax: Int) -> Bool {
    // Rules by the rules whose states call them: a walk in the order of depth, cut when it is too deep.
    var owners = Array(repeating: Set<Int32>(), count: grammar.rules.count)
    for (index, rule) in grammar.rules.enumerated() where heights.rules[index] != infinite {
      var seen: Set<Int32> = [rule.start]
      var open = [rule.start]
      while let state = open.popLast() {
        let value = grammar.states[Int(state)]
        for call in value.calls where heights.rules[Int(call.rule)] != infinite {
          owners[index].insert(call.rule)
          if seen.insert(call.target).inserted { open.append(call.target) }
        }
        for target in value.choices + value.edges.map(\.target) where seen.insert(target).inserted {
          open.append(target)
        }
      }
    }
    var level = Set(owners.indices.map { Int32($0) })
    for _ in 0...levelsMax + 1 {
      level = level.reduce(into: []) { $0.formUnion(owners[Int($1)]) }
      if level.isEmpty { return false }
    }
    return true
  }
}
