/// Parses the part of Oniguruma's Ruby syntax that tokenizer files use.
///
/// What is left out is refused, never read as something else: back references, scripts in `\p{}`, POSIX
/// brackets, conditionals. Reference: Oniguruma, doc/RE.
struct PatternParser {
  /// Far above the longest published pattern.
  static let lengthMax = 8192
  static let depthMax = 32
  static let repetitionMax = 1000

  private let source: String
  private let scalars: [UInt32]
  private var position = 0
  private var depth = 0
  private var ignoresCase = false
  private var dotMatchesNewline = false

  static func parse(_ source: String) throws(TokenizerFileProblem) -> PatternNode {
    guard source.utf8.count <= lengthMax else {
      let shown = String(source.unicodeScalars.prefix(40).map(Character.init)) + "..."
      throw .invalidPattern(pattern: shown, reason: "longer than \(lengthMax) bytes")
    }
    var parser = PatternParser(source: source)
    let node = try parser.readAlternatives()
    guard parser.position == parser.scalars.count else { throw parser.invalid("unmatched ')'") }
    return node
  }

  private init(source: String) {
    self.source = source
    scalars = source.unicodeScalars.map(\.value)
  }

  private func invalid(_ reason: String) -> TokenizerFileProblem {
    .invalidPattern(pattern: source, reason: reason)
  }

  private func unsupported(_ what: String) -> TokenizerFileProblem {
    invalid("\(what) is not supported")
  }

  private var current: Character? { character(at: position) }

  private func character(at index: Int) -> Character? {
    guard index < scalars.count, let scalar = Unicode.Scalar(scalars[index]) else { return nil }
    return Character(scalar)
  }

  private mutating func skip(_ text: String) -> Bool {
    let wanted = text.unicodeScalars.map(\.value)
    guard scalars[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  private mutating func readAlternatives() throws(TokenizerFileProblem) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else { throw invalid("groups nested deeper than \(Self.depthMax)") }
    let outerCase = ignoresCase
    let outerDot = dotMatchesNewline
    defer {
      ignoresCase = outerCase
      dotMatchesNewline = outerDot
    }
    var alternatives = [try readSequence()]
    while skip("|") { alternatives.append(try readSequence()) }
    return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
  }

  private mutating func readSequence() throws(TokenizerFileProblem) -> PatternNode {
    var parts: [PatternNode] = []
    var previousLiteral: UInt32?
    while let next = current, next != "|", next != ")" {
      let start = position
      guard let atom = try readAtom() else { continue }
      let literal = position == start + 1 && next.isASCII && next.isLetter ? scalars[start] | 0x20 : nil
      if ignoresCase, let literal, let previousLiteral, foldsTogether(previousLiteral, literal) {
        throw unsupported("case folding of ligatures")
      }
      previousLiteral = literal
      parts.append(try readRepetition(of: atom))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  /// Letter pairs that one scalar (ß, the f and st ligatures) matches when case is ignored.
  private func foldsTogether(_ first: UInt32, _ second: UInt32) -> Bool {
    ["ss", "ff", "fi", "fl", "st"].contains(
      String(String.UnicodeScalarView([first, second].compactMap(Unicode.Scalar.init))))
  }

  /// The next atom, or nil where the text set options for what follows.
  private mutating func readAtom() throws(TokenizerFileProblem) -> PatternNode? {
    let scalar = scalars[position]
    switch current! {
    case "(": return try readGroup()
    case "[":
      position += 1
      return .set(try readClass())
    case "\\": return try readEscape()
    case "*", "+", "?": throw invalid("nothing to repeat")
    default: break
    }
    position += 1
    switch Character(Unicode.Scalar(scalar)!) {
    case ".": return .set(dotMatchesNewline ? .all : ScalarSet(scalars: [0x0A]).complement)
    case "^": return .assertion(.lineStart)
    case "$": return .assertion(.lineEnd)
    default: return .set(try folded(ScalarSet(scalars: [scalar])))
    }
  }

  private mutating func readGroup() throws(TokenizerFileProblem) -> PatternNode? {
    position += 1
    guard skip("?") else { return try readGroupBody() }
    if skip(":") { return try readGroupBody() }
    if skip("=") { return .lookahead(try readGroupBody(), negated: false) }
    if skip("!") { return .lookahead(try readGroupBody(), negated: true) }
    if skip("<=") { return .lookbehind(try readGroupBody(), negated: false) }
    if skip("<!") { return .lookbehind(try readGroupBody(), negated: true) }
    if skip(">") { return .atomic(try readGroupBody()) }
    let outerCase = ignoresCase
    let outerDot = dotMatchesNewline
    try readOptions()
    if skip(")") { return nil }
    guard skip(":") else { throw unsupported("this kind of group") }
    let body = try readGroupBody()
    ignoresCase = outerCase
    dotMatchesNewline = outerDot
    return body
  }

  private mutating func readGroupBody() throws(TokenizerFileProblem) -> PatternNode {
    let body = try readAlternatives()
    guard skip(")") else { throw invalid("a group without ')'") }
    return body
  }

  private mutating func readOptions() throws(TokenizerFileProblem) {
    var value = true
    while let next = current, next != ")", next != ":" {
      switch next {
      case "-": value = false
      case "i": ignoresCase = value
      case "m": dotMatchesNewline = value
      default: throw unsupported("the group '(?\(next)'")
      }
      position += 1
    }
  }
}

// MARK: - Repetition

extension PatternParser {
  private mutating func readRepetition(of atom: PatternNode) throws(TokenizerFileProblem) -> PatternNode {
    var bounds: (min: Int, max: Int?)
    var isInterval = false
    if skip("*") {
      bounds = (0, nil)
    } else if skip("+") {
      bounds = (1, nil)
    } else if skip("?") {
      bounds = (0, 1)
    } else if let interval = try readInterval() {
      bounds = interval
      isInterval = true
    } else {
      return atom
    }
    if case .assertion = atom { throw unsupported("a repeated assertion") }
    var repetition = PatternNode.Repetition.greedy
    if skip("?") {
      guard !isInterval || bounds.min != bounds.max else { throw unsupported("'?' after {n}") }
      repetition = .lazy
    } else if skip("+") {
      guard !isInterval else { throw unsupported("'+' after an interval") }
      repetition = .possessive
    }
    if let next = current, next == "*" || next == "+" || next == "?" {
      throw unsupported("a repetition of a repetition")
    }
    return .repeated(atom, min: bounds.min, max: bounds.max, repetition)
  }

  /// `{n}`, `{n,}`, `{,m}` or `{n,m}`; nil, and nothing read, where the brace is an ordinary character.
  private mutating func readInterval() throws(TokenizerFileProblem) -> (min: Int, max: Int?)? {
    let start = position
    guard skip("{") else { return nil }
    let low = try readCount()
    let hasComma = skip(",")
    let high = hasComma ? try readCount() : low
    guard skip("}"), low != nil || high != nil else {
      position = start
      return nil
    }
    if let high, let low, high < low { throw invalid("an interval that runs backwards") }
    return (low ?? 0, high)
  }

  private mutating func readCount() throws(TokenizerFileProblem) -> Int? {
    var value: Int?
    while let next = current, next.isASCII, let digit = next.wholeNumberValue {
      value = (value ?? 0) * 10 + digit
      guard value! <= Self.repetitionMax else {
        throw invalid("more than \(Self.repetitionMax) repetitions")
      }
      position += 1
    }
    return value
  }
}

// MARK: - Escapes and classes

extension PatternParser {
  private mutating func readEscape() throws(TokenizerFileProblem) -> PatternNode {
    guard let letter = character(at: position + 1) else { throw invalid("a trailing '\\'") }
    let assertion: PatternNode.Assertion? =
      switch letter {
      case "b": .wordBoundary
      case "B": .noWordBoundary
      case "A": .textStart
      case "z": .textEnd
      default: nil
      }
    if let assertion {
      position += 2
      return .assertion(assertion)
    }
    let (set, _) = try readEscapedSet()
    return .set(set)
  }

  /// An escape that stands for a set; the scalar as well, where it stands for one.
  private mutating func readEscapedSet() throws(TokenizerFileProblem) -> (ScalarSet, UInt32?) {
    guard let letter = character(at: position + 1) else { throw invalid("a trailing '\\'") }
    let classes = CharacterClasses.shared
    position += 2
    switch letter {
    case "s": return (classes.space, nil)
    case "S": return (classes.space.complement, nil)
    case "w": return (classes.word, nil)
    case "W": return (classes.word.complement, nil)
    case "d": return (classes[.Nd], nil)
    case "D": return (classes[.Nd].complement, nil)
    case "p", "P": return (try readProperty(negated: letter == "P"), nil)
    case "n": return try single(0x0A)
    case "r": return try single(0x0D)
    case "t": return try single(0x09)
    case "f": return try single(0x0C)
    case "v": return try single(0x0B)
    case "a": return try single(0x07)
    case "e": return try single(0x1B)
    case "x": return try single(try readHexadecimal(digits: 2, braces: true))
    case "u": return try single(try readHexadecimal(digits: 4, braces: false))
    default:
      guard !letter.isASCII || !(letter.isLetter || letter.isNumber) else {
        throw unsupported("the escape '\\\(letter)'")
      }
      return try single(scalars[position - 1])
    }
  }

  private func single(_ scalar: UInt32) throws(TokenizerFileProblem) -> (ScalarSet, UInt32?) {
    (try folded(ScalarSet(scalars: [scalar])), scalar)
  }

  private mutating func readHexadecimal(digits: Int, braces: Bool) throws(TokenizerFileProblem) -> UInt32 {
    let braced = braces && skip("{")
    var value: UInt32 = 0
    var count = 0
    while count < (braced ? 8 : digits), let digit = current?.hexDigitValue {
      value = value << 4 | UInt32(digit)
      position += 1
      count += 1
    }
    guard braced ? count > 0 && skip("}") : count == digits, Unicode.Scalar(value) != nil else {
      throw invalid("a malformed hexadecimal escape")
    }
    guard braced || digits > 2 || value < 0x80 else { throw unsupported("an escaped byte") }
    return value
  }

  private mutating func readProperty(negated: Bool) throws(TokenizerFileProblem) -> ScalarSet {
    guard skip("{") else { throw invalid("'\\p' without '{'") }
    var inverted = negated
    if skip("^") { inverted.toggle() }
    var name = ""
    while let next = current, next != "}" {
      name.append(next)
      position += 1
    }
    guard skip("}") else { throw invalid("'\\p{' without '}'") }
    guard let set = CharacterClasses.shared.category(named: name) else {
      throw unsupported("the property '\(name)'")
    }
    guard !ignoresCase || !["Lu", "Ll", "Lt"].contains(name) else {
      throw unsupported("case folding of '\\p{\(name)}'")
    }
    return inverted ? set.complement : set
  }

  /// The rest of a bracketed class, its '[' read.
  private mutating func readClass() throws(TokenizerFileProblem) -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else { throw invalid("classes nested deeper than \(Self.depthMax)") }
    let negated = skip("^")
    var intersected: ScalarSet?
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while isFirst || current != "]" {
      guard let next = current else { throw invalid("a class without ']'") }
      defer { isFirst = false }
      if skip("&&") {
        let left = ScalarSet(ranges)
        intersected = intersected?.intersection(left) ?? left
        ranges = []
        continue
      }
      if next == "[" {
        guard character(at: position + 1) != ":" else { throw unsupported("a POSIX bracket") }
        position += 1
        ranges += try readClass().ranges
        continue
      }
      ranges += try readClassMember().ranges
    }
    position += 1
    var set = ScalarSet(ranges)
    if let intersected { set = intersected.intersection(set) }
    return negated ? set.complement : set
  }

  private mutating func readClassMember() throws(TokenizerFileProblem) -> ScalarSet {
    let (set, first) = try readClassScalar()
    guard let first, current == "-", let after = character(at: position + 1), after != "]" else { return set }
    position += 1
    guard after != "[" else { throw unsupported("a class as the end of a range") }
    let (_, last) = try readClassScalar()
    guard let last, first <= last else { throw invalid("a malformed range in a class") }
    return try folded(ScalarSet([first...last]))
  }

  private mutating func readClassScalar() throws(TokenizerFileProblem) -> (ScalarSet, UInt32?) {
    if current == "\\" { return try readEscapedSet() }
    guard position < scalars.count else { throw invalid("a class without ']'") }
    position += 1
    return try single(scalars[position - 1])
  }

  /// With both cases of its letters, where case is ignored. U+017F folds to s, U+212A to k.
  private func folded(_ set: ScalarSet) throws(TokenizerFileProblem) -> ScalarSet {
    guard ignoresCase else { return set }
    guard set.ranges.allSatisfy({ $0.upperBound < 0x80 }) else {
      throw unsupported("case folding beyond ASCII")
    }
    let letters = set.ranges.flatMap { Array($0) }.filter { 0x61...0x7A ~= $0 | 0x20 }
    var folded = Set(letters.flatMap { [$0 | 0x20, $0 & ~0x20] })
    if folded.contains(0x73) { folded.insert(0x17F) }
    if folded.contains(0x6B) { folded.insert(0x212A) }
    return set.union(ScalarSet(scalars: folded))
  }
}
