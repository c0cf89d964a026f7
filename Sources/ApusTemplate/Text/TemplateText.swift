/// A string as Python has it: Unicode scalars, two strings equal only if scalar by scalar the same.
///
/// Held as UTF-8, whose bytes sort and compare as the scalars do. Positions in the interface count scalars.
struct TemplateText: Hashable, Sendable {
  /// Always valid UTF-8.
  var bytes: [UInt8]

  init(bytes: [UInt8] = []) { self.bytes = bytes }

  init(_ text: String) { bytes = Array(text.utf8) }

  init(_ scalars: some Sequence<Unicode.Scalar>) {
    bytes = []
    for scalar in scalars { append(scalar) }
  }

  init(_ slice: ArraySlice<UInt8>) { bytes = Array(slice) }

  var isEmpty: Bool { bytes.isEmpty }

  var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

  var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Number of scalars.
  var count: Int { bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }

  var scalars: [Unicode.Scalar] { Array(string.unicodeScalars) }

  mutating func append(_ scalar: Unicode.Scalar) { bytes.append(contentsOf: UTF8.encode(scalar)!) }

  /// Where each scalar begins, and the end.
  var scalarStarts: [Int] {
    var starts = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 }
    starts.append(bytes.count)
    return starts
  }

  /// Scalars before a byte position.
  func scalarOffset(of position: Int) -> Int {
    bytes[..<position].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
  }

  static func < (left: TemplateText, right: TemplateText) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension TemplateText: ExpressibleByStringLiteral {
  init(stringLiteral text: String) { self.init(text) }
}

// MARK: - Searching

extension TemplateText {
  /// The byte position of `needle` in `range`, from the front.
  func firstIndex(of needle: TemplateText, in range: Range<Int>) -> Int? {
    guard !needle.isEmpty else { return range.lowerBound }
    let end = matchEnd(of: needle.bytes, in: range) { $0 }
    return end.map { range.lowerBound + $0 - needle.bytes.count }
  }

  /// The byte position of `needle` in `range`, from the back.
  func lastIndex(of needle: TemplateText, in range: Range<Int>) -> Int? {
    guard !needle.isEmpty else { return range.upperBound }
    let end = matchEnd(of: needle.bytes.reversed(), in: range) { range.count - 1 - $0 }
    return end.map { range.upperBound - $0 }
  }

  /// How many bytes of the range, in the order `place` gives, end with the first match. Linear in both lengths
  /// (Knuth, Morris, Pratt): texts and what is looked for in them come from strangers.
  private func matchEnd(of needle: [UInt8], in range: Range<Int>, _ place: (Int) -> Int) -> Int? {
    guard needle.count <= range.count else { return nil }
    var borders = [0]
    borders.reserveCapacity(needle.count)
    var border = 0
    for index in needle.indices.dropFirst() {
      while border > 0, needle[border] != needle[index] { border = borders[border - 1] }
      if needle[border] == needle[index] { border += 1 }
      borders.append(border)
    }
    var matched = 0
    for index in 0..<range.count {
      let byte = bytes[range.lowerBound + place(index)]
      while matched > 0, needle[matched] != byte { matched = borders[matched - 1] }
      if needle[matched] == byte { matched += 1 }
      if matched == needle.count { return index + 1 }
    }
    return nil
  }

  func contains(_ needle: TemplateText) -> Bool {
    firstIndex(of: needle, in: 0..<bytes.count) != nil
  }

  func hasPrefix(_ prefix: TemplateText) -> Bool { bytes.starts(with: prefix.bytes) }

  func hasSuffix(_ suffix: TemplateText) -> Bool {
    bytes.count >= suffix.bytes.count && bytes.suffix(suffix.bytes.count).elementsEqual(suffix.bytes)
  }

  /// Occurrences that do not overlap.
  func occurrences(of needle: TemplateText) -> Int {
    guard !needle.isEmpty else { return count + 1 }
    var found = 0
    var position = 0
    while let next = firstIndex(of: needle, in: position..<bytes.count) {
      found += 1
      position = next + needle.bytes.count
    }
    return found
  }

  /// - Parameter limit: the most replacements; negative for all.
  func replacing(_ old: TemplateText, with new: TemplateText, limit: Int = -1) -> TemplateText {
    var left = limit < 0 ? Int.max : limit
    guard left > 0 else { return self }
    var result: [UInt8] = []
    var position = 0
    if old.isEmpty {
      for start in scalarStarts where left > 0 {
        result += bytes[position..<start]
        result += new.bytes
        position = start
        left -= 1
      }
      return TemplateText(bytes: result + bytes[position...])
    }
    while left > 0, let next = firstIndex(of: old, in: position..<bytes.count) {
      result += bytes[position..<next]
      result += new.bytes
      position = next + old.bytes.count
      left -= 1
    }
    return TemplateText(bytes: result + bytes[position...])
  }
}

// MARK: - White space

extension Unicode.Scalar {
  /// What Python's `str.isspace` and the `\s` of its expressions hold for white space.
  var isTemplateSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      true
    default: false
    }
  }

  /// Where `str.splitlines` cuts.
  var endsTemplateLine: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }
}

extension TemplateText {
  /// Without the scalars that `isStripped` names at either end.
  func stripped(
    left: Bool = true, right: Bool = true,
    _ isStripped: (Unicode.Scalar) -> Bool = { $0.isTemplateSpace }
  ) -> TemplateText {
    let text = string.unicodeScalars
    var start = text.startIndex
    var end = text.endIndex
    while left, start < end, isStripped(text[start]) { start = text.index(after: start) }
    while right, start < end, isStripped(text[text.index(before: end)]) { end = text.index(before: end) }
    return TemplateText(String(text[start..<end]))
  }

  /// The pieces between runs of white space, at most `limit` cuts from the front; negative for all.
  func words(limit: Int = -1) -> [TemplateText] {
    let text = scalars
    var words: [TemplateText] = []
    var position = 0
    while true {
      while position < text.count, text[position].isTemplateSpace { position += 1 }
      guard position < text.count else { return words }
      if words.count == limit {
        return words + [TemplateText(text[position...]).stripped(left: false)]
      }
      let start = position
      while position < text.count, !text[position].isTemplateSpace { position += 1 }
      words.append(TemplateText(text[start..<position]))
    }
  }

  /// As `words`, but cut from the back.
  func wordsFromBack(limit: Int) -> [TemplateText] {
    let text = scalars
    var words: [TemplateText] = []
    var end = text.count
    while true {
      while end > 0, text[end - 1].isTemplateSpace { end -= 1 }
      guard end > 0 else { return words.reversed() }
      if words.count == limit {
        return [TemplateText(text[..<end]).stripped(right: false)] + words.reversed()
      }
      let stop = end
      while end > 0, !text[end - 1].isTemplateSpace { end -= 1 }
      words.append(TemplateText(text[end..<stop]))
    }
  }

  /// The pieces between separators, at most `limit` cuts; negative for all.
  func split(by separator: TemplateText, limit: Int, fromBack: Bool) -> [TemplateText] {
    var pieces: [TemplateText] = []
    var range = 0..<bytes.count
    while pieces.count != limit {
      let found =
        fromBack ? lastIndex(of: separator, in: range) : firstIndex(of: separator, in: range)
      guard let found else { break }
      let after = found + separator.bytes.count
      if fromBack {
        pieces.append(TemplateText(bytes[after..<range.upperBound]))
        range = range.lowerBound..<found
      } else {
        pieces.append(TemplateText(bytes[range.lowerBound..<found]))
        range = after..<range.upperBound
      }
    }
    pieces.append(TemplateText(bytes[range]))
    return fromBack ? pieces.reversed() : pieces
  }

  func lines(keepingEnds: Bool = false) -> [TemplateText] {
    let text = scalars
    var lines: [TemplateText] = []
    var start = 0
    var position = 0
    while position < text.count {
      guard text[position].endsTemplateLine else {
        position += 1
        continue
      }
      let end = position
      position += text[position] == "\r" && position + 1 < text.count && text[position + 1] == "\n" ? 2 : 1
      lines.append(TemplateText(text[start..<(keepingEnds ? position : end)]))
      start = position
    }
    if start < text.count { lines.append(TemplateText(text[start...])) }
    return lines
  }
}
