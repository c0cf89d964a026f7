/// One step of rewriting a text before it is cut.
enum Normalizer: Sendable {
  case unicode(UnicodeNormalization)
  case lowercase
  case prepend([UInt8])
  case replace(Pattern, content: [UInt8])
  case strip(left: Bool, right: Bool)
  case stripAccents

  func apply(to text: inout [UInt8]) throws(TokenizerError) {
    switch self {
    case .unicode(let normalization):
      if let normalized = normalization.normalized(text) { text = normalized }
    case .lowercase:
      let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
      text = scalars.reduce(into: []) { $0 += Array($1.properties.lowercaseMapping.utf8) }
    case .prepend(let prefix):
      if !text.isEmpty { text = prefix + text }
    case .replace(let pattern, let content):
      text = try pattern.replacing(in: text, with: content)
    case .strip(let left, let right):
      text = stripped(text, left: left, right: right)
    case .stripAccents:
      let accents = CharacterClasses.shared.accents
      text = [UInt8](scalars: text.scalars.filter { !accents.contains($0) })
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
  /// `text`, valid UTF-8, with `content` in the place of every match.
  func replacing(in text: [UInt8], with content: [UInt8]) throws(TokenizerError) -> [UInt8] {
    guard !text.isEmpty else { return text }
    return try text.withUnsafeBufferPointer { (text) throws(TokenizerError) in
      var matcher = PatternMatcher(self, text)
      var result: [UInt8] = []
      result.reserveCapacity(text.count)
      var copied = 0
      while let match = try matcher.next() {
        result.append(contentsOf: text[copied..<match.lowerBound])
        result.append(contentsOf: content)
        copied = match.upperBound
      }
      result.append(contentsOf: text[copied...])
      return result
    }
  }
}
