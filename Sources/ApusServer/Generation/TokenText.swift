import ApusTokenizer

/// The text of single tokens, as it stands inside a text: with the space before a word, which a decoder may
/// take away at the beginning.
struct TokenText: Sendable {
  let tokenizer: Tokenizer

  /// The token's bytes, which need not be whole characters. None for an id without a token.
  func bytes(of id: Int32) -> [UInt8] {
    // Behind another token nothing is taken away; that the other is the same one leaves no other question
    // open.
    guard let twice = try? tokenizer.decodeBytes([id, id]), let once = try? tokenizer.decodeBytes([id]) else {
      return []
    }
    return Array(twice.dropFirst(once.count))
  }

  /// Whether the token is text at all, rather than a mark such as the end of a turn.
  func isSpecial(_ id: Int32) -> Bool { tokenizer.isSpecial(id) }
}

extension Sequence<UInt8> {
  /// Characters, as Python counts them, that begin in these bytes of UTF-8.
  var scalarCount: Int { reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }
}
