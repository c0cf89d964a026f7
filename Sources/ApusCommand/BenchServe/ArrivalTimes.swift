import ApusEngine
import Foundation

/// Random numbers in [0, 1) from a seed, in their order.
struct UniformSequence: Sendable {
  private let seed: UInt64
  private var position = 0

  init(seed: UInt64) { self.seed = seed }

  mutating func next() -> Double {
    defer { position += 1 }
    return Philox.uniform(seed: seed, position: position)
  }

  mutating func next(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() * Double(range.count))
  }
}

/// When requests arrive, in seconds from the start.
enum ArrivalTimes {
  /// Gaps drawn from a gamma distribution with mean 1/`rate`, as vLLM's tool draws them: a Poisson process
  /// where `burstiness` is 1, more regular above, in bursts below.
  /// - Parameter rate: requests a second; infinite: all at once.
  static func random(count: Int, rate: Double, burstiness: Double, seed: UInt64) -> [Double] {
    guard rate.isFinite else { return Array(repeating: 0, count: count) }
    var numbers = UniformSequence(seed: seed)
    var time = 0.0
    return (0..<count).map { _ in
      time += gamma(shape: burstiness, &numbers) / (rate * burstiness)
      return time
    }
  }

  /// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
  private static func gamma(shape: Double, _ numbers: inout UniformSequence) -> Double {
    if shape == 1 { return -log1p(-numbers.next()) }
    if shape < 1 {
      return gamma(shape: shape + 1, &numbers) * pow(1 - numbers.next(), 1 / shape)
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal(&numbers)
      let v = 1 + c * x
      guard v > 0 else { continue }
      let cube = v * v * v
      if log(1 - numbers.next()) < 0.5 * x * x + d * (1 - cube + log(cube)) { return d * cube }
    }
  }

  /// Box and Muller, 1958.
  private static func normal(_ numbers: inout UniformSequence) -> Double {
    let radius = (-2 * log(1 - numbers.next())).squareRoot()
    return radius * cos(2 * .pi * numbers.next())
  }
}
