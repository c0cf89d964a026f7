/// Philox4x32-10, a counter-based generator: a bijection of the counter chosen by the key, with no state to
/// carry. Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.
package enum Philox {
  package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let p0 = UInt64(c0) * 0xD251_1F53
      let p1 = UInt64(c2) * 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }

  /// The seed of the `index`-th completion, from 1 on, of a request whose own is `seed`. Tokens draw from counters
  /// whose upper half is 0, so no completion's seed follows from numbers that drew a token.
  package static func seed(ofCompletion index: Int, from seed: UInt64) -> UInt64 {
    let words = block(
      counter: SIMD4(UInt32(truncatingIfNeeded: index), 0, 1, 0),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    return UInt64(words[0]) << 32 | UInt64(words[1])
  }

  /// The random number in [0, 1) that draws the token at `position` of a request with `seed`: the first 53
  /// bits of the block whose counter is the position and whose key is the seed, low words first. The same on
  /// every platform, and whoever else runs.
  package static func uniform(seed: UInt64, position: Int) -> Double {
    let counter = UInt64(position)
    let words = block(
      counter: SIMD4(UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), 0, 0),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    return Double((UInt64(words[0]) << 32 | UInt64(words[1])) >> 11) * 0x1p-53
  }
}
