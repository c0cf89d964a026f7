/// Which tokens of a vocabulary may come next: one bit a token, token `t` in bit `t % 32` of word `t / 32`.
/// Made once for a vocabulary and refilled, so that masking a row allocates nothing.
public struct TokenMask: Sendable, Equatable {
  public let vocabularySize: Int
  /// `[(vocabularySize + 31) / 32]`; bits beyond the vocabulary mean nothing.
  public var words: [UInt32]

  /// Allows nothing.
  public init(vocabularySize: Int) {
    precondition(vocabularySize > 0, "a mask over \(vocabularySize) tokens")
    self.vocabularySize = vocabularySize
    words = Array(repeating: 0, count: (vocabularySize + 31) / 32)
  }

  public subscript(token: Int32) -> Bool {
    get { words[Int(token) / 32] & (1 << UInt32(token % 32)) != 0 }
    set {
      if newValue {
        words[Int(token) / 32] |= 1 << UInt32(token % 32)
      } else {
        words[Int(token) / 32] &= ~(1 << UInt32(token % 32))
      }
    }
  }

  public mutating func removeAll() { fill(0) }

  public mutating func allowAll() { fill(.max) }

  private mutating func fill(_ word: UInt32) {
    for index in words.indices { words[index] = word }
  }
}
