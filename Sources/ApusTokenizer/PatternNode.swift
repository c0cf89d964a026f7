/// The syntax tree of a regular expression over Unicode scalars.
indirect enum PatternNode: Equatable {
  enum Repetition: Equatable {
    case greedy, lazy, possessive
  }

  enum Assertion: Equatable {
    case lineStart, lineEnd, textStart, textEnd, wordBoundary, noWordBoundary
  }

  case set(ScalarSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  /// `max` is nil where the repetition has no upper bound.
  case repeated(PatternNode, min: Int, max: Int?, Repetition)
  case lookahead(PatternNode, negated: Bool)
  case lookbehind(PatternNode, negated: Bool)
  case atomic(PatternNode)
  case assertion(Assertion)

  /// Whether the node can match without consuming a scalar.
  var canBeEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.canBeEmpty)
    case .alternatives(let parts): parts.contains(where: \.canBeEmpty)
    case .repeated(let body, let min, _, _): min == 0 || body.canBeEmpty
    case .lookahead, .lookbehind, .assertion: true
    case .atomic(let body): body.canBeEmpty
    }
  }

  /// The scalars a match that consumes any can begin with.
  var firstScalars: ScalarSet {
    switch self {
    case .set(let set): return set
    case .sequence(let parts):
      var result = ScalarSet([])
      for part in parts {
        result.formUnion(part.firstScalars)
        if !part.canBeEmpty { break }
      }
      return result
    case .alternatives(let parts):
      return parts.reduce(into: ScalarSet([])) { $0.formUnion($1.firstScalars) }
    case .repeated(let body, _, _, _), .atomic(let body): return body.firstScalars
    case .lookahead, .lookbehind, .assertion: return ScalarSet([])
    }
  }

  /// How many scalars every match has, or nil where that varies.
  var fixedLength: Int? {
    switch self {
    case .set: return 1
    case .sequence(let parts):
      return parts.reduce(0 as Int?) { total, part in
        guard let total, let length = part.fixedLength else { return nil }
        return total + length
      }
    case .alternatives(let parts):
      let lengths = Set(parts.map(\.fixedLength))
      return lengths.count == 1 ? lengths.first! : nil
    case .repeated(let body, let min, let max, _):
      guard min == max, let length = body.fixedLength else { return nil }
      return length.multipliedReportingOverflow(by: min).partialValue
    case .lookahead, .lookbehind, .assertion: return 0
    case .atomic(let body): return body.fixedLength
    }
  }
}
