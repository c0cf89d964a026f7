/// Finds the string that is complete first in a text that comes in parts, whole characters each.
///
/// Compares bytes of UTF-8: texts that differ only in how characters are composed differ. Knuth, Morris and
/// Pratt's automaton for each string, so a byte costs a few steps for each, whatever came before.
struct StopStringMatcher: Sendable {
  /// Where a string lies, in bytes from the beginning of the text.
  struct Match: Equatable {
    var start: Int
    var end: Int
  }

  private struct Pattern {
    let bytes: [UInt8]
    /// `[n]`: of the first n + 1 bytes, how many at their end begin the pattern again.
    let borders: [Int]

    init(_ string: String) {
      bytes = Array(string.utf8)
      var borders = Array(repeating: 0, count: bytes.count)
      var length = 0
      for index in bytes.indices.dropFirst() {
        while length > 0, bytes[index] != bytes[length] { length = borders[length - 1] }
        if bytes[index] == bytes[length] { length += 1 }
        borders[index] = length
      }
      self.borders = borders
    }
  }

  private let patterns: [Pattern]
  /// How many bytes at the text's end begin each pattern, fewer than all of it.
  private var lengths: [Int]
  /// Bytes of the text so far.
  private(set) var byteCount = 0

  /// - Parameter strings: none empty.
  init(_ strings: [String]) {
    patterns = strings.map { Pattern($0) }
    lengths = Array(repeating: 0, count: strings.count)
  }

  /// How much of the text's end may turn out to belong to a match.
  var openByteCount: Int { lengths.max() ?? 0 }

  /// Takes the next part of the text. Returns the match that ends first, if it ends beyond `minEnd`; of
  /// several that end together, that of the string which was named first. After one the matcher is done.
  mutating func append(_ part: some Sequence<UInt8>, minEnd: Int) -> Match? {
    for byte in part {
      byteCount += 1
      for (index, pattern) in patterns.enumerated() {
        var length = lengths[index]
        while length > 0, pattern.bytes[length] != byte { length = pattern.borders[length - 1] }
        if pattern.bytes[length] == byte { length += 1 }
        if length == pattern.bytes.count {
          if byteCount > minEnd { return Match(start: byteCount - length, end: byteCount) }
          length = pattern.borders[length - 1]
        }
        lengths[index] = length
      }
    }
    return nil
  }
}
