public import ApusEngine

/// Allows most tokens, by what came before: each token adds to a sum, which forbids every `divisor`-th token next. Ends
/// after `length` tokens.
public struct SumConstraint: TokenConstraint {
  private let divisor: Int
  private let length: Int
  /// An array, so that completions and forks that shared it would be seen.
  private var generated: [Int32] = []

  public init(divisor: Int, length: Int) {
    precondition(divisor > 1 && length > 0)
    self.divisor = divisor
    self.length = length
  }

  public var isComplete: Bool { generated.count >= length }

  public mutating func allowedTokens(into mask: inout TokenMask) {
    let sum = generated.reduce(generated.count) { $0 + Int($1) }
    mask.allowAll()
    for token in 0..<mask.vocabularySize where (token + sum) % divisor == 0 { mask[Int32(token)] = false }
  }

  public mutating func advance(_ token: Int32) { generated.append(token) }
}

/// Holds once the sum of the generated tokens is a multiple of `divisor`.
public struct SumStopCondition: StopCondition {
  private let divisor: Int
  private var generated: [Int32] = []

  public init(divisor: Int) { self.divisor = divisor }

  public mutating func shouldStop(after token: Int32) -> Bool {
    generated.append(token)
    return generated.reduce(0) { $0 + Int($1) } % divisor == 0
  }
}
