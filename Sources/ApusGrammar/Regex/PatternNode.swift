/// A pattern as it was parsed.
indirect enum PatternNode: Equatable {
  case empty
  case set(ScalarRanges)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  /// - Parameter offset: of the repetition in the pattern, for errors.
  case repetition(PatternNode, min: Int, max: Int?, offset: Int)
  /// `^`, `\A`: the text begins here.
  case startAnchor(offset: Int)
  /// `$`, `\z`, `\Z`: the text ends here.
  case endAnchor(offset: Int)

  /// States the node is written down in, about.
  var size: Int {
    switch self {
    case .empty, .startAnchor, .endAnchor: return 1
    // A range of scalars has up to ten endings, shared between ranges.
    case .set(let scalars): return scalars.ranges.last.map { $0.upperBound < 0x80 ? 1 : 8 } ?? 1
    case .sequence(let parts), .alternatives(let parts):
      return parts.reduce(1) { $0 + $1.size }
    case .repetition(let node, let min, let max, _):
      let (size, overflow) = node.size.multipliedReportingOverflow(by: Swift.max(max ?? min + 1, 1))
      return overflow ? .max / 4 : size
    }
  }
}
