import Foundation

/// Prompt and output lengths of a mix of requests.
public struct RequestLengths: Sendable, Equatable {
  public var promptTokens: Int
  public var generatedTokens: Int

  public init(promptTokens: Int, generatedTokens: Int) {
    self.promptTokens = promptTokens
    self.generatedTokens = generatedTokens
  }

  /// Lengths whose logarithms are uniform: many short, few long, as requests come to a server.
  ///
  /// - Parameter seed: the same one gives the same lengths, everywhere.
  public static func mix(
    count: Int, promptTokens: ClosedRange<Int>, generatedTokens: ClosedRange<Int>, seed: UInt64
  ) -> [RequestLengths] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      RequestLengths(
        promptTokens: logUniform(promptTokens, &random),
        generatedTokens: logUniform(generatedTokens, &random))
    }
  }

  private static func logUniform(_ range: ClosedRange<Int>, _ random: inout SplitMix64) -> Int {
    let low = log(Double(range.lowerBound))
    let unit = Double(random.next() >> 11) * 0x1p-53
    let drawn = exp(low + (log(Double(range.upperBound)) - low) * unit)
    return min(max(Int(drawn.rounded()), range.lowerBound), range.upperBound)
  }
}

/// Random numbers from a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
