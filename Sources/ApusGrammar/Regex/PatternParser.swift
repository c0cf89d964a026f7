/// Parses regular expressions: the part of ECMAScript's and Python's syntax that describes a set of texts.
///
/// Classes are those of ECMAScript but for ASCII only: `\d` is [0-9], `\w` is [0-9A-Za-z_], `\s` is
/// [ \t\n\r\f\v]; `.` is all but \n, \r, U+2028 and U+2029. Groups, named or not, only group; a lazy
/// quantifier describes the same texts as a greedy one. What is left out is refused by name: lookaround, back
/// references, word boundaries, possessive quantifiers, atomic groups, flags, `\p{}`.
struct PatternParser {
  /// `{m,n}` counts up to here.
  static let repetitionMax = 65_536

  let source: String
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var depth = 0

  static func parse(_ source: String) throws(GrammarError) -> PatternNode {
    guard source.unicodeScalars.count <= GrammarLimits.patternLength else {
      throw .limitExceeded(
        what: "a pattern of \(source.unicodeScalars.count) characters", limit: GrammarLimits.patternLength)
    }
    var parser = PatternParser(source)
    let node = try parser.alternatives()
    guard parser.position == parser.scalars.count else { throw parser.invalid("unmatched ')'") }
    return node
  }

  private init(_ source: String) {
    self.source = source
    scalars = Array(source.unicodeScalars)
  }

  private func invalid(_ reason: String, at offset: Int? = nil) -> GrammarError {
    .invalidPattern(pattern: source, offset: offset ?? position, reason: reason)
  }

  private func unsupported(_ feature: String, at offset: Int) -> GrammarError {
    .unsupportedPattern(pattern: source, offset: offset, feature: feature)
  }

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func skip(_ text: String) -> Bool {
    guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
    position += text.unicodeScalars.count
    return true
  }

  private mutating func alternatives() throws(GrammarError) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= GrammarLimits.patternDepth else {
      throw .limitExceeded(
        what: "groups nested \(depth) deep at offset \(position)", limit: GrammarLimits.patternDepth)
    }
    var parts = [try sequence()]
    while skip("|") { parts.append(try sequence()) }
    return parts.count == 1 ? parts[0] : .alternatives(parts)
  }

  private mutating func sequence() throws(GrammarError) -> PatternNode {
    var parts: [PatternNode] = []
    while let next, next != "|", next != ")" {
      let atom = try atom()
      parts.append(try quantified(atom))
    }
    return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func atom() throws(GrammarError) -> PatternNode {
    let offset = position
    let scalar = scalars[position]
    position += 1
    switch scalar {
    case "(": return try group(offset)
    case "[": return .set(try bracketed(offset))
    case ".": return .set(PatternClass.dot)
    case "^": return .startAnchor(offset: offset)
    case "$": return .endAnchor(offset: offset)
    case "\\": return try escaped(offset)
    case "*", "+", "?": throw invalid("nothing to repeat before '\(scalar)'", at: offset)
    default: return .set(ScalarRanges(scalar.value))
    }
  }

  private mutating func group(_ offset: Int) throws(GrammarError) -> PatternNode {
    if skip("?") {
      let kinds = [
        ("=", "lookahead"), ("!", "lookahead"), ("<=", "lookbehind"), ("<!", "lookbehind"),
        (">", "an atomic group"), ("#", "a comment"), ("(", "a conditional"), ("P=", "a back reference"),
        ("P>", "recursion"), ("R", "recursion"), ("&", "recursion"),
      ]
      for (mark, name) in kinds where skip(mark) { throw unsupported(name, at: offset) }
      if skip("P<") || skip("<") {
        while let next, next != ">" { position += next == ")" ? scalars.count : 1 }
        guard skip(">") else { throw invalid("a group's name without '>'", at: offset) }
      } else if !skip(":") {
        throw unsupported("a group of flags", at: offset)
      }
    } else if skip("*") {
      throw unsupported("a verb", at: offset)
    }
    let node = try alternatives()
    guard skip(")") else { throw invalid("'(' without ')'", at: offset) }
    return node
  }

  /// The node with the quantifier after it, if there is one.
  private mutating func quantified(_ node: PatternNode) throws(GrammarError) -> PatternNode {
    let offset = position
    guard let (min, max) = try bounds() else { return node }
    switch node {
    case .startAnchor, .endAnchor: throw invalid("a repeated anchor", at: offset)
    default: break
    }
    if skip("+") { throw unsupported("a possessive quantifier", at: offset) }
    _ = skip("?")
    let again = position
    guard try bounds() == nil else { throw invalid("a quantifier after a quantifier", at: again) }
    let result = PatternNode.repetition(node, min: min, max: max, offset: offset)
    guard result.size <= GrammarLimits.nondeterministicStates else {
      throw .limitExceeded(
        what: "pattern \(shown(source)), offset \(offset): the repetition needs \(result.size) states",
        limit: GrammarLimits.nondeterministicStates)
    }
    return result
  }

  private mutating func bounds() throws(GrammarError) -> (min: Int, max: Int?)? {
    if skip("*") { return (0, nil) }
    if skip("+") { return (1, nil) }
    if skip("?") { return (0, 1) }
    let offset = position
    guard skip("{") else { return nil }
    // Python takes it for {0,n}, ECMAScript for characters.
    if next == "," { throw unsupported("a repetition without a minimum", at: offset) }
    // A brace that begins no quantifier is a character, as in ECMAScript without flags and in Python.
    guard let min = try number() else {
      position = offset
      return nil
    }
    var max: Int? = min
    if skip(",") { max = try number() }
    guard skip("}") else {
      position = offset
      return nil
    }
    if let max, max < min { throw invalid("a repetition from \(min) to \(max)", at: offset) }
    return (min, max)
  }

  private mutating func number() throws(GrammarError) -> Int? {
    let offset = position
    var value: Int?
    while let next, ("0"..."9").contains(next) {
      value = (value ?? 0) * 10 + Int(next.value - 0x30)
      position += 1
      guard value! <= Self.repetitionMax else {
        throw .limitExceeded(
          what: "pattern \(shown(source)), offset \(offset): a repetition of \(value!) or more",
          limit: Self.repetitionMax)
      }
    }
    return value
  }
}

// MARK: - Escapes and classes

extension PatternParser {
  private mutating func escaped(_ offset: Int) throws(GrammarError) -> PatternNode {
    guard let scalar = next else { throw invalid("'\\' at the end", at: offset) }
    switch scalar {
    case "A":
      position += 1
      return .startAnchor(offset: offset)
    case "z", "Z":
      position += 1
      return .endAnchor(offset: offset)
    case "b", "B": throw unsupported("a word boundary", at: offset)
    case "1"..."9", "k", "g": throw unsupported("a back reference", at: offset)
    default: return .set(try escapedSet(offset, inClass: false))
    }
  }

  /// What an escape stands for; `position` is after the backslash.
  private mutating func escapedSet(_ offset: Int, inClass: Bool) throws(GrammarError) -> ScalarRanges {
    guard let scalar = next else { throw invalid("'\\' at the end", at: offset) }
    position += 1
    switch scalar {
    case "d": return PatternClass.digit
    case "D": return PatternClass.digit.complement
    case "w": return PatternClass.word
    case "W": return PatternClass.word.complement
    case "s": return PatternClass.space
    case "S": return PatternClass.space.complement
    case "n": return ScalarRanges(0x0A)
    case "t": return ScalarRanges(0x09)
    case "r": return ScalarRanges(0x0D)
    case "f": return ScalarRanges(0x0C)
    case "v": return ScalarRanges(0x0B)
    case "b" where inClass: return ScalarRanges(0x08)
    case "0" where next.map { !("0"..."9").contains($0) } ?? true: return ScalarRanges(0)
    case "x": return ScalarRanges(try hexadecimal(digits: 2, offset))
    case "u":
      if skip("{") {
        let value = try hexadecimal(digits: nil, offset)
        guard skip("}") else { throw invalid("'\\u{' without '}'", at: offset) }
        return ScalarRanges(value)
      }
      return ScalarRanges(try hexadecimal(digits: 4, offset))
    case "p", "P": throw unsupported("a Unicode property", at: offset)
    default:
      guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
        throw unsupported("the escape '\\\(scalar)'", at: offset)
      }
      return ScalarRanges(scalar.value)
    }
  }

  private mutating func hexadecimal(digits: Int?, _ offset: Int) throws(GrammarError) -> UInt32 {
    var value: UInt32 = 0
    var count = 0
    while count < digits ?? 6, let next, let digit = Character(next).hexDigitValue, next.isASCII {
      value = value << 4 | UInt32(digit)
      position += 1
      count += 1
    }
    guard count == digits ?? max(count, 1), Unicode.Scalar(value) != nil else {
      throw invalid("an escape that is no character", at: offset)
    }
    return value
  }

  /// A class; `position` is after the bracket.
  private mutating func bracketed(_ offset: Int) throws(GrammarError) -> ScalarRanges {
    let isNegated = skip("^")
    var ranges: [ClosedRange<UInt32>] = []
    // Python takes it for a character, ECMAScript for the end of an empty class.
    if next == "]" { throw unsupported("']' at the beginning of a class", at: position) }
    while !skip("]") {
      guard let scalar = next else { throw invalid("'[' without ']'", at: offset) }
      if scalar == "[", position + 1 < scalars.count, [":", ".", "="].contains(scalars[position + 1]) {
        throw unsupported("a POSIX class", at: position)
      }
      if scalar == "&" || scalar == "-" || scalar == "~" || scalar == "|", skip("\(scalar)\(scalar)") {
        throw unsupported("an operation on classes", at: position - 2)
      }
      let low = try classMember()
      guard low.isSingle, next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        ranges += low.ranges
        continue
      }
      let dash = position
      position += 1
      let high = try classMember()
      guard high.isSingle, let first = low.ranges.first, let last = high.ranges.first,
        first.lowerBound <= last.lowerBound
      else { throw invalid("a range that does not ascend", at: dash) }
      ranges.append(first.lowerBound...last.lowerBound)
    }
    let set = ScalarRanges(ranges)
    return isNegated ? set.complement : set
  }

  private mutating func classMember() throws(GrammarError) -> ScalarRanges {
    let offset = position
    guard let scalar = next else { throw invalid("'[' without ']'") }
    position += 1
    return scalar == "\\" ? try escapedSet(offset, inClass: true) : ScalarRanges(scalar.value)
  }
}

extension ScalarRanges {
  fileprivate var isSingle: Bool { ranges.count == 1 && ranges[0].lowerBound == ranges[0].upperBound }
}

enum PatternClass {
  static let digit = ScalarRanges([0x30...0x39])
  static let word = ScalarRanges([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let space = ScalarRanges([0x09...0x0D, 0x20...0x20])
  static let dot = ScalarRanges([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).complement
}
