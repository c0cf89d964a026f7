/// How the scalars of a text are spelled.
enum TextSpelling {
  /// In UTF-8.
  case plain
  /// As inside a JSON string, each scalar in one way only: escapes for what needs one, the short ones where
  /// there are short ones, else \u00xx in lower case. So languages of spellings meet and differ as those of
  /// the texts do.
  case json
}

/// Patterns as states. Reference: Thompson, Regular Expression Search Algorithm, 1968.
extension Grammar {
  /// Reads the texts of `node`, whose anchors are settled.
  mutating func addPattern(
    _ node: PatternNode, from source: Int32, to target: Int32, _ spelling: TextSpelling
  ) throws(GrammarError) {
    switch node {
    case .empty, .startAnchor, .endAnchor:
      addChoice(from: source, to: target)
    case .set(let scalars):
      try addText(scalars, from: source, to: target, spelling)
    case .sequence(let parts):
      var state = source
      for part in parts {
        let next = try addState()
        try addPattern(part, from: state, to: next, spelling)
        state = next
      }
      addChoice(from: state, to: target)
    case .alternatives(let parts):
      for part in parts { try addPattern(part, from: source, to: target, spelling) }
    case .repetition(let part, let min, let max, _):
      var state = source
      for _ in 0..<min {
        let next = try addState()
        try addPattern(part, from: state, to: next, spelling)
        state = next
      }
      let end = try addState()
      addChoice(from: state, to: end)
      guard let max else {
        try addPattern(part, from: end, to: end, spelling)
        return addChoice(from: end, to: target)
      }
      for _ in min..<max {
        let next = try addState()
        try addPattern(part, from: state, to: next, spelling)
        addChoice(from: next, to: end)
        state = next
      }
      addChoice(from: end, to: target)
    }
  }

  /// Reads one scalar of `scalars`.
  mutating func addText(
    _ scalars: ScalarRanges, from source: Int32, to target: Int32, _ spelling: TextSpelling
  ) throws(GrammarError) {
    guard case .json = spelling else { return try addScalars(scalars, from: source, to: target) }
    try addScalars(scalars.subtracting(JSONSpelling.escaped), from: source, to: target)
    let escaped = scalars.intersection(JSONSpelling.escaped)
    guard !escaped.isEmpty else { return }
    let escape = try addState()
    addEdge(UInt8(ascii: "\\"), from: source, to: escape)
    for scalar in escaped.ranges.joined() {
      try addBytes(JSONSpelling.escape(scalar).dropFirst(), from: escape, to: target)
    }
  }
}

enum JSONSpelling {
  /// What may not stand in a JSON string as it is.
  static let escaped = ScalarRanges([0...0x1F, 0x22...0x22, 0x5C...0x5C])

  private static let short: [UInt32: Character] = [
    0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r", 0x22: "\"", 0x5C: "\\",
  ]

  /// The one escape that stands for `scalar`.
  static func escape(_ scalar: UInt32) -> [UInt8] {
    if let letter = short[scalar] { return Array("\\\(letter)".utf8) }
    let digits = String(scalar, radix: 16)
    return Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
  }

  /// The inside of the string.
  static func spelled(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if escaped.contains(scalar.value) {
        bytes += escape(scalar.value)
      } else {
        bytes += Array(String(Character(scalar)).utf8)
      }
    }
    return bytes
  }
}
