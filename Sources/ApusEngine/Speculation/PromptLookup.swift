/// Drafts by looking the newest tokens up in what came before: where the end of a sequence occurred earlier, what
/// followed then is likely to follow again. (Prompt lookup decoding: Saxena, 2023.)
package enum PromptLookup {
  /// Tokens at the end that must have occurred before, at least, and that are compared, at most.
  package static let matchMin = 2
  package static let matchMax = 8

  /// Tokens of `tokens` to try next, at most `limit`: what follows the longest earlier occurrence of its end, of
  /// equally long ones the newest.
  package static func draft(_ tokens: [Int32], limit: Int) -> Range<Int>? {
    guard limit > 0, tokens.count > matchMin else { return nil }
    return tokens.withUnsafeBufferPointer { tokens in
      let last = tokens[tokens.count - 1]
      var best = 0..<0
      var bestLength = matchMin - 1
      // `end` is the position after an earlier occurrence of the last token.
      var end = tokens.count - 1
      while end >= matchMin {
        if tokens[end - 1] == last {
          var length = 1
          while length < matchMax, length < end, tokens[end - 1 - length] == tokens[tokens.count - 1 - length]
          {
            length += 1
          }
          if length > bestLength {
            bestLength = length
            best = end..<min(end + limit, tokens.count)
            if length == matchMax { break }
          }
        }
        end -= 1
      }
      return best.isEmpty ? nil : best
    }
  }
}
