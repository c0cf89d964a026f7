/// Strings that several things are said of.
extension Grammar {
  mutating func addStringRule(_ spec: StringSpec) throws(GrammarError) -> Int32 {
    let isCounted = spec.min > 0 || spec.max != nil
    guard !spec.patterns.isEmpty else {
      return try addJSONStringRule(count: isCounted ? spec.min...(spec.max ?? .max) : nil)
    }
    let start = try addState()
    let rule = addRule(.string, start: start)
    if !isCounted, spec.patterns.count == 1 {
      let end = try addState()
      try addPattern(try spec.patterns[0].node, from: start, to: end, .json)
      finish(rule, at: end)
      return rule
    }
    var parts: [Automaton] = []
    for pattern in spec.patterns { parts.append(try Self.automaton(pattern.node)) }
    if isCounted {
      let length = PatternNode.repetition(.set(.all), min: spec.min, max: spec.max, offset: 0)
      guard length.size <= GrammarLimits.nondeterministicStates else {
        throw .limitExceeded(
          what:
            "a pattern or format beside minLength \(spec.min) or maxLength \(spec.max ?? spec.min) needs \(length.size) states",
          limit: GrammarLimits.nondeterministicStates)
      }
      parts.append(try Self.automaton(length))
    }
    try addProduct(parts, start: start) { (grammar, state) in grammar.finish(rule, at: state) }
    return rule
  }

  private static func automaton(_ node: PatternNode) throws(GrammarError) -> Automaton {
    var grammar = Grammar()
    let start = try grammar.addState()
    let end = try grammar.addState()
    grammar.start = start
    grammar.accept(at: end)
    try grammar.addPattern(node, from: start, to: end, .json)
    let alphabet = Array(repeating: true, count: 256)
    return try Determinizer.automaton(of: grammar, alphabet: alphabet, levelsMax: 0)
  }

  /// States for what all `parts` read; `end` is told where all of them accept.
  private mutating func addProduct(
    _ parts: [Automaton], start: Int32, end: (inout Grammar, Int32) -> Void
  ) throws(GrammarError) {
    var known: [[Int32]: Int32] = [parts.map(\.start): start]
    var open = [parts.map(\.start)]
    while let states = open.popLast() {
      let source = known[states]!
      if zip(parts, states).allSatisfy({ $0.accepting[Int($1)] }) { end(&self, source) }
      var byte = 0
      while byte < 256 {
        // Bytes that no part tells from this one.
        var last = byte
        while last < 255, parts.allSatisfy({ $0.classes[last + 1] == $0.classes[byte] }) { last += 1 }
        defer { byte = last + 1 }
        var next: [Int32] = []
        for (part, state) in zip(parts, states) {
          guard case .next(let target) = part.move(state, UInt8(byte)) else { break }
          next.append(target)
        }
        guard next.count == parts.count else { continue }
        let target: Int32
        if let found = known[next] {
          target = found
        } else {
          target = try addState()
          known[next] = target
          open.append(next)
        }
        addEdge(UInt8(byte)...UInt8(last), from: source, to: target)
      }
    }
  }
}

extension StringPattern {
  /// The strings that match, anchors settled.
  var node: PatternNode {
    get throws(GrammarError) {
      let parsed = try PatternParser.parse(source.text)
      let anchors = PatternAnchors(source: source.text)
      return isWhole ? try anchors.whole(parsed) : try anchors.anywhere(parsed)
    }
  }

  func matches(_ text: String) throws(GrammarError) -> Bool {
    let automaton = try Grammar.plainAutomaton(try node)
    var state = AutomatonState(automaton)
    return text.utf8.allSatisfy { state.read($0, automaton) } && automaton.accepting[Int(state.state)]
  }
}

extension Grammar {
  /// The texts of a pattern whose anchors are settled.
  static func plain(_ node: PatternNode) throws(GrammarError) -> Grammar {
    var grammar = Grammar()
    let start = try grammar.addState()
    let end = try grammar.addState()
    grammar.start = start
    grammar.accept(at: end)
    try grammar.addPattern(node, from: start, to: end, .plain)
    return grammar
  }

  fileprivate static func plainAutomaton(_ node: PatternNode) throws(GrammarError) -> Automaton {
    try Determinizer.automaton(
      of: plain(node), alphabet: Array(repeating: true, count: 256), levelsMax: 0)
  }
}
