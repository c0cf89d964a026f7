/// The insides of JSON strings as states.
extension Grammar {
  /// A character of a JSON string (RFC 8259, section 7), however it is spelled: itself, an escape, a pair of
  /// surrogates.
  mutating func addJSONCharacter(from source: Int32, to target: Int32) throws(GrammarError) {
    try addScalars(JSONSpelling.escaped.complement, from: source, to: target)
    let escape = try addState()
    addEdge(UInt8(ascii: "\\"), from: source, to: escape)
    for byte in "\"\\/bfnrt".utf8 { addEdge(byte, from: escape, to: target) }
    let unicode = try addState()
    addEdge(UInt8(ascii: "u"), from: escape, to: unicode)
    let digits: [ClosedRange<UInt8>] = [0x30...0x39, 0x41...0x46, 0x61...0x66]
    func addDigits(_ count: Int, from source: Int32, to target: Int32) throws(GrammarError) {
      var state = source
      for left in stride(from: count - 1, through: 0, by: -1) {
        let next = left == 0 ? target : try addState()
        for range in digits { addEdge(range, from: state, to: next) }
        state = next
      }
    }
    // All but d: any three digits follow.
    let three = try addState()
    for range: ClosedRange<UInt8> in [0x30...0x39, 0x41...0x43, 0x45...0x46, 0x61...0x63, 0x65...0x66] {
      addEdge(range, from: unicode, to: three)
    }
    try addDigits(3, from: three, to: target)
    let surrogate = try addState()
    for byte in "dD".utf8 { addEdge(byte, from: unicode, to: surrogate) }
    let two = try addState()
    addEdge(0x30...0x37, from: surrogate, to: two)
    try addDigits(2, from: two, to: target)
    let high = try addState()
    for range: ClosedRange<UInt8> in [0x38...0x39, 0x41...0x42, 0x61...0x62] {
      addEdge(range, from: surrogate, to: high)
    }
    let pair = try addState()
    try addDigits(2, from: high, to: pair)
    let low = try addBytes(Array("\\u".utf8), from: pair)
    let lowD = try addState()
    for byte in "dD".utf8 { addEdge(byte, from: low, to: lowD) }
    let end = try addState()
    for range: ClosedRange<UInt8> in [0x43...0x46, 0x63...0x66] { addEdge(range, from: lowD, to: end) }
    try addDigits(2, from: end, to: target)
  }

  /// A rule for strings of any characters.
  /// - Parameter count: characters; nil for any number. Counted, where no other strings may come instead.
  mutating func addJSONStringRule(count: ClosedRange<Int>?) throws(GrammarError) -> Int32 {
    let start = try addState()
    try addJSONCharacter(from: start, to: start)
    let rule = addRule(.string, start: start, count: count)
    finish(rule, at: start)
    return rule
  }

  /// States for strings of `count` characters, to be read beside others. Returns the first.
  mutating func addJSONString(count: ClosedRange<Int>, finishing rule: Int32) throws(GrammarError) -> Int32 {
    let start = try addState()
    var state = start
    for _ in 0..<count.lowerBound {
      let next = try addState()
      try addJSONCharacter(from: state, to: next)
      state = next
    }
    finish(rule, at: state)
    if count.upperBound == .max {
      try addJSONCharacter(from: state, to: state)
      return start
    }
    for _ in count.lowerBound..<count.upperBound {
      let next = try addState()
      try addJSONCharacter(from: state, to: next)
      finish(rule, at: next)
      state = next
    }
    return start
  }

  /// A rule for one string.
  mutating func addJSONStringRule(literal text: String) throws(GrammarError) -> Int32 {
    let start = try addState()
    let end = try addBytes(JSONSpelling.spelled(text), from: start)
    let rule = addRule(.string, start: start)
    finish(rule, at: end)
    return rule
  }

  /// A rule for names that are none of `names`, each character spelled in one way only: `"\u0061"` is no way
  /// round.
  mutating func addJSONNameRule(except names: [ByteString]) throws(GrammarError) -> Int32 {
    let free = try addState()
    try addText(.all, from: free, to: free, .json)
    let rule = addRule(.string, start: free)
    finish(rule, at: free)
    guard !names.isEmpty else { return rule }
    let start = try addOtherTexts(than: names.map { Array($0.text.unicodeScalars) }, free: free, rule)
    return addStart(start, to: rule)
  }

  private mutating func addStart(_ start: Int32, to rule: Int32) -> Int32 {
    setStart(start, of: rule)
    return rule
  }

  /// A state from which all texts but `texts` end; those that have left all of them go on in `free`.
  private mutating func addOtherTexts(
    than texts: [[Unicode.Scalar]], free: Int32, _ rule: Int32
  ) throws(GrammarError) -> Int32 {
    // A tree of the texts by scalars, breadth first: how long they are bounds no stack.
    let start = try addState()
    var open: [(state: Int32, depth: Int, texts: [Int])] = [(start, 0, Array(texts.indices))]
    var next = 0
    while next < open.count {
      let (state, depth, here) = open[next]
      next += 1
      var branches: [UInt32: [Int]] = [:]
      var endsHere = false
      for text in here {
        if texts[text].count == depth {
          endsHere = true
        } else {
          branches[texts[text][depth].value, default: []].append(text)
        }
      }
      if !endsHere { finish(rule, at: state) }
      for (scalar, members) in branches.sorted(by: { $0.key < $1.key }) {
        let child = try addState()
        try addText(ScalarRanges(scalar), from: state, to: child, .json)
        open.append((child, depth + 1, members))
      }
      let others = ScalarRanges(branches.keys.map { $0...$0 }).complement
      try addText(others, from: state, to: free, .json)
    }
    return start
  }
}
