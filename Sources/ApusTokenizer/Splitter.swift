/// Cuts a text at what a delimiter matches.
struct Splitter: Sendable {
  enum Delimiter: Sendable {
    case pattern(Pattern)
    /// Each scalar of the set by itself.
    case scalars(ScalarSetTable)
  }

  /// What becomes of a match: the names of `SplitDelimiterBehavior` in the file format.
  enum Behavior: String, CaseIterable {
    case isolated = "Isolated"
    case removed = "Removed"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  private struct Part {
    var range: Range<Int>
    var isMatch: Bool
  }

  let delimiter: Delimiter
  let behavior: Behavior
  let isInverted: Bool

  init(_ delimiter: Delimiter, _ behavior: Behavior, isInverted: Bool = false) {
    self.delimiter = delimiter
    self.behavior = behavior
    self.isInverted = isInverted
  }

  init(scalars: ScalarSet, _ behavior: Behavior) {
    var table = ScalarSetTable()
    _ = table.index(of: scalars)
    self.init(.scalars(table), behavior)
  }

  func apply(to list: inout PieceList) throws(TokenizerError) {
    var parts: [Part] = []
    try list.split { (piece, result) throws(TokenizerError) in
      if behavior == .isolated {
        try find(in: piece) { range, _ in result.append(range) }
        return
      }
      parts.removeAll(keepingCapacity: true)
      try find(in: piece) { parts.append(Part(range: $0, isMatch: $1)) }
      combine(parts, into: &result)
    }
  }

  /// Gives matches and what lies between them: together the whole text.
  @inline(__always)
  private func find(
    in text: UnsafeBufferPointer<UInt8>, _ give: (Range<Int>, _ isMatch: Bool) -> Void
  ) throws(TokenizerError) {
    var previous = 0
    func add(_ match: Range<Int>) {
      if previous < match.lowerBound {
        give(previous..<match.lowerBound, isInverted)
      }
      give(match, !isInverted)
      previous = match.upperBound
    }
    switch delimiter {
    case .pattern(let pattern):
      var matcher = PatternMatcher(pattern, text)
      while let match = try matcher.next() { add(match) }
    case .scalars(let table):
      var position = 0
      while position < text.count {
        let (scalar, length) = decodeScalar(text, position)
        if table.contains(scalar, set: 0) { add(position..<position + length) }
        position += length
      }
    }
    if previous < text.count { give(previous..<text.count, isInverted) }
  }

  private func combine(_ parts: [Part], into result: inout [Range<Int>]) {
    var wasMatch = false
    switch behavior {
    case .isolated:
      for part in parts { result.append(part.range) }
    case .removed:
      for part in parts where !part.isMatch { result.append(part.range) }
    case .contiguous:
      for part in parts {
        add(part, toPrevious: part.isMatch == wasMatch, &result)
        wasMatch = part.isMatch
      }
    case .mergedWithPrevious:
      for part in parts {
        add(part, toPrevious: part.isMatch && !wasMatch, &result)
        wasMatch = part.isMatch
      }
    case .mergedWithNext:
      for part in parts.reversed() {
        if part.isMatch, !wasMatch, let next = result.last {
          result[result.count - 1] = part.range.lowerBound..<next.upperBound
        } else {
          result.append(part.range)
        }
        wasMatch = part.isMatch
      }
      result.reverse()
    }
  }

  private func add(_ part: Part, toPrevious: Bool, _ result: inout [Range<Int>]) {
    if toPrevious, let last = result.last {
      result[result.count - 1] = last.lowerBound..<part.range.upperBound
    } else {
      result.append(part.range)
    }
  }
}
