import ApusKernels
import Foundation

/// What turns a row's logits into log-probabilities: `log p[i] = logits[i] - logSumOfExponentials`.
struct LogNormalizer: Equatable {
  var logSumOfExponentials: Double
  /// The lowest index of the largest logit.
  var argmax: Int
}

/// How one row of logits differs from another model's row of the same position.
public struct LogitDifference: Sendable, Equatable {
  /// sum(p * log(p / q)) in nats, p the other model's distribution, q this one's.
  public var klDivergence: Double
  /// Sum of the squares of the differences.
  public var squaredError: Double
  /// Sum of the squares of the other's logits.
  public var squaredNorm: Double
  /// Whether the largest logits are in the same place.
  public var sameTop: Bool
}

/// Log-softmax of rows of logits: exponentials by the kernels, sums in double. Owns scratch for one row; not
/// thread-safe.
final class LogSoftmax {
  private let vocabularySize: Int
  private let kernels: KernelContext
  private let weights: UnsafeMutableBufferPointer<Float>
  private let blocks: UnsafeMutableBufferPointer<Float>

  init(vocabularySize: Int, kernels: KernelContext) {
    self.vocabularySize = vocabularySize
    self.kernels = kernels
    weights = .allocate(capacity: vocabularySize)
    blocks = .allocate(capacity: KernelContext.logitBlockCount(vocabularySize))
    weights.initialize(repeating: 0)
    blocks.initialize(repeating: 0)
  }

  deinit {
    weights.deallocate()
    blocks.deallocate()
  }

  /// Nil: the row holds NaN or +infinity, or nothing finite. Leaves the exponentials in the scratch.
  func normalizer(_ row: UnsafeBufferPointer<Float>) -> LogNormalizer? {
    precondition(row.count == vocabularySize, "\(row.count) logits, expected \(vocabularySize)")
    let scan = kernels.scanLogits(row, blockMax: blocks)
    guard scan.isValid else { return nil }
    kernels.logitWeights(row, max: scan.max, temperature: 1, into: weights, blockSums: blocks)
    return LogNormalizer(logSumOfExponentials: Double(scan.max) + log(weightSum()), argmax: scan.argmax)
  }

  /// Of the exponentials in the scratch, relative to the largest.
  private func weightSum() -> Double {
    var sums = SIMD4<Double>.zero
    let whole = vocabularySize / 4 * 4
    for index in Swift.stride(from: 0, to: whole, by: 4) {
      sums += SIMD4<Double>(
        SIMD4(weights[index], weights[index + 1], weights[index + 2], weights[index + 3]))
    }
    return weights[whole...].reduce(sums.sum()) { $0 + Double($1) }
  }

  /// Compares two valid rows of the same position, of which `normalizer` gave the normalizers.
  func difference(
    _ row: UnsafeBufferPointer<Float>, _ normalizer: LogNormalizer, from other: UnsafeBufferPointer<Float>,
    _ otherNormalizer: LogNormalizer
  ) -> LogitDifference {
    let otherMax = other[otherNormalizer.argmax]
    kernels.logitWeights(other, max: otherMax, temperature: 1, into: weights, blockSums: blocks)
    var weightSum = 0.0
    var weightedDifferences = 0.0
    var squaredError = 0.0
    var squaredNorm = 0.0
    for index in 0..<vocabularySize {
      let weight = Double(weights[index])
      let value = Double(other[index])
      let difference = value - Double(row[index])
      weightSum += weight
      weightedDifferences += weight * difference
      squaredError += difference * difference
      squaredNorm += value * value
    }
    return LogitDifference(
      klDivergence: weightedDifferences / weightSum
        - (otherNormalizer.logSumOfExponentials - normalizer.logSumOfExponentials),
      squaredError: squaredError, squaredNorm: squaredNorm,
      sameTop: normalizer.argmax == otherNormalizer.argmax)
  }
}
