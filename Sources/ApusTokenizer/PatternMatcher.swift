/// Finds the matches of one pattern in one text, leftmost first, without overlap.
///
/// Backtracks over a stack of its own, so that long texts need no deep calls, and counts its steps, so that
/// no pattern runs for ever.
struct PatternMatcher {
  /// Steps allowed for a text: sensible patterns take a few a byte.
  static func stepsMax(_ byteCount: Int) -> Int { 1_000_000 + 1000 * byteCount }

  /// Where to go on after a failure. `least` is the position down to which a `takeAll` gives scalars back.
  private struct Choice {
    var instruction: Int
    var position: Int
    var least: Int
  }

  private let pattern: Pattern
  private let text: UnsafeBufferPointer<UInt8>
  private var choices: [Choice] = []
  private var stepsLeft: Int
  private var searchStart = 0
  private var lastEnd: Int?

  init(_ pattern: Pattern, _ text: UnsafeBufferPointer<UInt8>) {
    self.pattern = pattern
    self.text = text
    stepsLeft = Self.stepsMax(text.count)
  }

  /// The next match. An empty match right after a match is passed over.
  mutating func next() throws(TokenizerError) -> Range<Int>? {
    while searchStart <= text.count {
      guard let match = try search() else {
        searchStart = text.count + 1
        return nil
      }
      if match.isEmpty, lastEnd == match.upperBound {
        searchStart = match.upperBound
        searchStart += searchStart < text.count ? decodeScalar(text, searchStart).length : 1
        continue
      }
      searchStart = match.upperBound
      lastEnd = match.upperBound
      return match
    }
    return nil
  }

  private mutating func search() throws(TokenizerError) -> Range<Int>? {
    var start = searchStart
    while true {
      for alternative in pattern.alternatives(at: start < text.count ? Int(text[start]) : 256) {
        choices.removeAll(keepingCapacity: true)
        if let end = try run(pattern.start(ofAlternative: alternative), start) { return start..<end }
      }
      guard start < text.count else { return nil }
      start += decodeScalar(text, start).length
    }
  }

  /// Runs the program from `instruction` to its `accept`: the position reached, or nil.
  private mutating func run(_ instruction: Int, _ position: Int) throws(TokenizerError) -> Int? {
    let base = choices.count
    var instruction = instruction
    var position = position
    while true {
      stepsLeft -= 1
      guard stepsLeft > 0 else { throw .patternTooCostly(pattern: pattern.source) }
      var matched = true
      switch pattern.program[instruction] {
      case .set(let set):
        matched = take(set, &position)
        instruction += 1
      case .takeAll(let set, let min, let max):
        matched = takeAll(set, min, max, next: instruction + 1, &position)
        instruction += 1
      case .split(let first, let second):
        choices.append(Choice(instruction: second, position: position, least: position))
        instruction = first
      case .jump(let target):
        instruction = target
      case .lookahead(let end, let negated):
        let reached = try run(instruction + 1, position)
        matched = (reached != nil) != negated
        instruction = end
      case .lookbehind(let length, let end, let negated):
        var reached: Int?
        if let start = back(length, from: position) { reached = try run(instruction + 1, start) }
        matched = (reached != nil) != negated
        instruction = end
      case .atomic(let end):
        let reached = try run(instruction + 1, position)
        matched = reached != nil
        position = reached ?? position
        instruction = end
      case .assertion(let assertion):
        matched = holds(assertion, position)
        instruction += 1
      case .accept:
        choices.removeSubrange(base...)
        return position
      }
      if !matched {
        guard choices.count > base else { return nil }
        (instruction, position) = takeChoice()
      }
    }
  }

  private mutating func takeChoice() -> (instruction: Int, position: Int) {
    var choice = choices.removeLast()
    if choice.position > choice.least {
      choice.position = scalarStart(before: choice.position, text)
      if choice.position > choice.least { choices.append(choice) }
    }
    return (choice.instruction, choice.position)
  }

  private func take(_ set: Int, _ position: inout Int) -> Bool {
    guard position < text.count else { return false }
    let (scalar, length) = decodeScalar(text, position)
    guard pattern.sets.contains(scalar, set: set) else { return false }
    position += length
    return true
  }

  private mutating func takeAll(
    _ set: Int, _ min: Int, _ max: Int, next: Int, _ position: inout Int
  ) -> Bool {
    var count = 0
    var least = position
    while count < max, position < text.count {
      let (scalar, length) = decodeScalar(text, position)
      guard pattern.sets.contains(scalar, set: set) else { break }
      position += length
      count += 1
      if count == min { least = position }
    }
    stepsLeft -= count
    guard count >= min else { return false }
    if count > min {
      choices.append(Choice(instruction: next, position: position, least: least))
    }
    return true
  }

  private func back(_ length: Int, from position: Int) -> Int? {
    var start = position
    for _ in 0..<length {
      guard start > 0 else { return nil }
      start = scalarStart(before: start, text)
    }
    return start
  }

  private func holds(_ assertion: PatternNode.Assertion, _ position: Int) -> Bool {
    switch assertion {
    case .textStart: return position == 0
    case .textEnd: return position == text.count
    case .lineStart: return position == 0 || text[position - 1] == 0x0A
    case .lineEnd: return position == text.count || text[position] == 0x0A
    case .wordBoundary: return isWord(before: position) != isWord(at: position)
    case .noWordBoundary: return isWord(before: position) == isWord(at: position)
    }
  }

  private func isWord(at position: Int) -> Bool {
    position < text.count && pattern.sets.contains(decodeScalar(text, position).scalar, set: pattern.word)
  }

  private func isWord(before position: Int) -> Bool {
    position > 0 && isWord(at: scalarStart(before: position, text))
  }
}
