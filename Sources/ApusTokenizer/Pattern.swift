/// A regular expression compiled to a program for a backtracking matcher over UTF-8.
struct Pattern: Sendable {
  enum Instruction: Sendable {
    case set(Int)
    /// Takes as many scalars of the set as there are, up to `max`; gives them back one by one.
    case takeAll(set: Int, min: Int, max: Int)
    /// Tries `first`, and `second` where that fails.
    case split(first: Int, second: Int)
    case jump(Int)
    /// The body follows and ends with `accept`; the pattern goes on at `end`.
    case lookahead(end: Int, negated: Bool)
    case lookbehind(length: Int, end: Int, negated: Bool)
    case atomic(end: Int)
    case assertion(PatternNode.Assertion)
    case accept
  }

  static let instructionsMax = 20_000

  let source: String
  private(set) var program: [Instruction] = []
  private(set) var sets = ScalarSetTable()
  private(set) var word = 0
  /// For each first byte, and last for the end of the text, the alternatives that can match there.
  private var entries: [Int] = []
  private var entryEnds: [Int] = []

  init(_ source: String) throws(TokenizerFileProblem) {
    try self.init(source, PatternParser.parse(source))
  }

  /// Matches `literal` and nothing else.
  init(literal: [UInt8]) throws(TokenizerFileProblem) {
    let scalars = literal.scalars
    guard !scalars.isEmpty else { throw .invalidPattern(pattern: "", reason: "empty") }
    try self.init(literal.text, .sequence(scalars.map { .set(ScalarSet(scalars: [$0])) }))
  }

  init(_ source: String, _ node: PatternNode) throws(TokenizerFileProblem) {
    self.source = source
    word = sets.index(of: CharacterClasses.shared.word)
    var entries = [[Int]](repeating: [], count: 257)
    let alternatives = if case .alternatives(let parts) = node { parts } else { [node] }
    for alternative in alternatives {
      let start = program.count
      try emit(alternative)
      program.append(.accept)
      let first = alternative.firstScalars
      let always = alternative.canBeEmpty
      let beyondASCII = first.ranges.last.map { $0.upperBound >= 0x80 } ?? false
      for byte in 0..<256 where always || (byte < 0x80 ? first.contains(UInt32(byte)) : beyondASCII) {
        entries[byte].append(start)
      }
      if always { entries[256].append(start) }
    }
    for starts in entries {
      self.entries += starts
      entryEnds.append(self.entries.count)
    }
  }

  /// The alternatives to try where `byte` is next; 256 stands for the end of the text.
  @inline(__always)
  func alternatives(at byte: Int) -> Range<Int> {
    (byte > 0 ? entryEnds[byte - 1] : 0)..<entryEnds[byte]
  }

  /// Where the program of an alternative begins.
  @inline(__always)
  func start(ofAlternative index: Int) -> Int { entries[index] }

  private mutating func append(_ instruction: Instruction) throws(TokenizerFileProblem) {
    guard program.count < Self.instructionsMax else {
      throw .invalidPattern(pattern: source, reason: "more than \(Self.instructionsMax) steps when compiled")
    }
    program.append(instruction)
  }

  private mutating func emit(_ node: PatternNode) throws(TokenizerFileProblem) {
    switch node {
    case .set(let set): try append(.set(sets.index(of: set)))
    case .sequence(let parts):
      for part in parts { try emit(part) }
    case .alternatives(let parts): try emitAlternatives(parts)
    case .repeated(let body, let min, let max, let repetition):
      try emitRepetition(body, min: min, max: max, repetition)
    case .lookahead(let body, let negated):
      try emitBody(body) { .lookahead(end: $0, negated: negated) }
    case .lookbehind(let body, let negated):
      guard let length = body.fixedLength else {
        throw .invalidPattern(pattern: source, reason: "a lookbehind of varying length is not supported")
      }
      try emitBody(body) { .lookbehind(length: length, end: $0, negated: negated) }
    case .atomic(let body): try emitBody(body) { .atomic(end: $0) }
    case .assertion(let assertion): try append(.assertion(assertion))
    }
  }

  private mutating func emitBody(
    _ body: PatternNode, _ instruction: (Int) -> Instruction
  ) throws(TokenizerFileProblem) {
    let start = program.count
    try append(.accept)
    try emit(body)
    try append(.accept)
    program[start] = instruction(program.count)
  }

  private mutating func emitAlternatives(_ parts: [PatternNode]) throws(TokenizerFileProblem) {
    var exits: [Int] = []
    for (index, part) in parts.enumerated() {
      guard index < parts.count - 1 else {
        try emit(part)
        break
      }
      let split = program.count
      try append(.accept)
      try emit(part)
      exits.append(program.count)
      try append(.accept)
      program[split] = .split(first: split + 1, second: program.count)
    }
    for exit in exits { program[exit] = .jump(program.count) }
  }

  private mutating func emitRepetition(
    _ body: PatternNode, min: Int, max: Int?, _ repetition: PatternNode.Repetition
  ) throws(TokenizerFileProblem) {
    if repetition == .possessive {
      return try emitBody(.repeated(body, min: min, max: max, .greedy)) { .atomic(end: $0) }
    }
    if case .set(let set) = body, repetition == .greedy {
      return try append(.takeAll(set: sets.index(of: set), min: min, max: max ?? .max))
    }
    for _ in 0..<min { try emit(body) }
    let isGreedy = repetition == .greedy
    func split(_ inner: Int, _ outer: Int) -> Instruction {
      isGreedy ? .split(first: inner, second: outer) : .split(first: outer, second: inner)
    }
    guard let max else {
      guard !body.canBeEmpty else {
        throw .invalidPattern(pattern: source, reason: "an endless repetition of what may be empty")
      }
      let start = program.count
      try append(.accept)
      try emit(body)
      try append(.jump(start))
      program[start] = split(start + 1, program.count)
      return
    }
    var splits: [Int] = []
    for _ in min..<Swift.max(min, max) {
      splits.append(program.count)
      try append(.accept)
      try emit(body)
    }
    for start in splits { program[start] = split(start + 1, program.count) }
  }
}
