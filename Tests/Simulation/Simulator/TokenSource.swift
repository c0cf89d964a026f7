import TestSupport

/// The model of a simulation: which token follows which, and what a position of the KV cache holds.
enum TokenSource {
  /// What the cache holds for a position: a hash of all tokens up to it. 0 stands for a position never written.
  static func content(after content: UInt64, token: Int32) -> UInt64 {
    SplitMix64.mix(content &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(UInt32(bitPattern: token)) &+ 1) | 1
  }

  static func prompt(of arrival: History.Arrival, vocabulary: Int) -> [Int32] {
    (0..<arrival.prompt).map { position in
      let source = position < arrival.share ? 1 << 32 + arrival.stem : arrival.seed
      let word = UInt64(bitPattern: Int64(source)) << 16 ^ UInt64(position)
      return Int32(SplitMix64.mix(word) % UInt64(vocabulary))
    }
  }

  /// The token that follows, drawn as a sampler does: from what the cache holds, a seed and the position.
  static func token(
    after content: UInt64, newest: Int32, seed: UInt64, hasMemory: Bool, vocabulary: Int
  ) -> Int32 {
    let word = hasMemory ? content ^ seed : UInt64(UInt32(bitPattern: newest)) ^ seed << 8
    return Int32(SplitMix64.mix(word) % UInt64(vocabulary))
  }
}
