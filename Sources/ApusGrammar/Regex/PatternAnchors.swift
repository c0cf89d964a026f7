/// Anchors, settled before a pattern is compiled: they are states of no automaton.
struct PatternAnchors {
  let source: String

  /// The texts that match as a whole. Anchors are allowed where they say nothing.
  func whole(_ node: PatternNode) throws(GrammarError) -> PatternNode {
    try settled(node, isAtStart: true, isAtEnd: true)
  }

  /// The texts that match somewhere, as JSON Schema's `pattern` has it. Anchors are allowed at the beginning
  /// and at the end of the pattern and of its alternatives.
  func anywhere(_ node: PatternNode) throws(GrammarError) -> PatternNode {
    if case .alternatives(let parts) = node {
      var results: [PatternNode] = []
      for part in parts { results.append(try anywhere(part)) }
      return .alternatives(results)
    }
    var parts = if case .sequence(let parts) = node { parts } else { [node] }
    let leading = parts.prefix { if case .startAnchor = $0 { true } else { false } }.count
    parts.removeFirst(leading)
    let trailing = parts.reversed().prefix { if case .endAnchor = $0 { true } else { false } }.count
    parts.removeLast(trailing)
    let core = try settled(.sequence(parts), isAtStart: leading > 0, isAtEnd: trailing > 0)
    let anything = PatternNode.repetition(.set(.all), min: 0, max: nil, offset: 0)
    return .sequence((leading > 0 ? [] : [anything]) + [core] + (trailing > 0 ? [] : [anything]))
  }

  private func settled(
    _ node: PatternNode, isAtStart: Bool, isAtEnd: Bool
  ) throws(GrammarError) -> PatternNode {
    switch node {
    case .empty, .set: return node
    case .startAnchor(let offset):
      guard isAtStart else { throw unsupported("an anchor inside the text", offset) }
      return .empty
    case .endAnchor(let offset):
      guard isAtEnd else { throw unsupported("an anchor inside the text", offset) }
      return .empty
    case .repetition(let part, let min, let max, let offset):
      let part = try settled(part, isAtStart: false, isAtEnd: false)
      return .repetition(part, min: min, max: max, offset: offset)
    case .alternatives(let parts):
      var results: [PatternNode] = []
      for part in parts { results.append(try settled(part, isAtStart: isAtStart, isAtEnd: isAtEnd)) }
      return .alternatives(results)
    case .sequence(let parts):
      let first = parts.firstIndex { !$0.isAnchor } ?? parts.count
      let last = parts.lastIndex { !$0.isAnchor } ?? -1
      var results: [PatternNode] = []
      for (index, part) in parts.enumerated() {
        results.append(
          try settled(part, isAtStart: isAtStart && index <= first, isAtEnd: isAtEnd && index >= last))
      }
      return .sequence(results)
    }
  }

  private func unsupported(_ feature: String, _ offset: Int) -> GrammarError {
    .unsupportedPattern(pattern: source, offset: offset, feature: feature)
  }
}

extension PatternNode {
  fileprivate var isAnchor: Bool {
    switch self {
    case .startAnchor, .endAnchor: true
    default: false
    }
  }
}
