/// One step of rewriting a text before it is cut.
enum Normalizer: Sendable {
  case unicode(UnicodeNormalization)
  case lowercase
  case prepend([UInt8])
  case replace(Pattern, content: [UInt8])
  case strip(left: Bool, right: Bool)
  case stripAccents

  /// Rewrites `text`. `isAtOrigin` becomes false where the first character is gone without a substitute: as
  /// in the reference, what is left then no longer counts as the beginning of the whole text.
  func apply(to text: inout [UInt8], isAtOrigin: inout Bool) throws(TokenizerError) {
    switch self {
    case .unicode(let normalization):
      if let normalized = normalization.normalized(text) { text = normalized }
    case .lowercase:
      let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
      text = scalars.reduce(into: []) { $0 += Array($1.properties.lowercaseMapping.utf8) }
    case .prepend(let prefix):
      if !text.isEmpty { text = prefix + text }
    case .replace(let pattern, let content):
      let (replaced, firstMatch) = try pattern.replacing(in: text, with: content)
      if let firstMatch, firstMatch.lowerBound == 0, !firstMatch.isEmpty {
        // The substitute stands where the last character that it replaces stood.
        isAtOrigin = isAtOrigin && !content.isEmpty && Array(text[firstMatch]).scalars.count == 1
      }
      text = replaced
    case .strip(let left, let right):
      if left, let first = text.scalars.first, CharacterClasses.shared.space.contains(first) {
        isAtOrigin = false
      }
      text = stripped(text, left: left, right: right)
    case .stripAccents:
      let accents = CharacterClasses.shared.accents
      let scalars = text.scalars
      if let first = scalars.first, accents.contains(first) { isAtOrigin = false }
      text = [UInt8](scalars: scalars.filter { !accents.contains($0) })
    }
  }

  private func stripped(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    let space = CharacterClasses.shared.space
    var scalars = text.scalars[...]
    if left { scalars = scalars.drop { space.contains($0) } }
    if right {
      while let last = scalars.last, space.contains(last) { scalars.removeLast() }
    }
    return [UInt8](scalars: scalars)
  }
}

extension Pattern {
  /// `text`, valid UTF-8, with `content` in the place of every match; and where the first match was.
  func replacing(
    in text: [UInt8], with content: [UInt8]
  ) throws(TokenizerError) -> (text: [UInt8], firstMatch: Range<Int>?) {
    guard !text.isEmpty else { return (text, nil) }
    return try text.withUnsafeBufferPointer { (text) throws(TokenizerError) in
      var matcher = PatternMatcher(self, text)
      var result: [UInt8] = []
      result.reserveCapacity(text.count)
      var copied = 0
      var firstMatch: Range<Int>?
      while let match = try matcher.next() {
        firstMatch = firstMatch ?? match
        result.append(contentsOf: text[copied..<match.lowerBound])
        result.append(contentsOf: content)
        copied = match.upperBound
      }
      result.append(contentsOf: text[copied...])
      return (result, firstMatch)
    }
  }
}
