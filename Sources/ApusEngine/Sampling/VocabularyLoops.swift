import Foundation

/// The loops over a whole row of logits. Everything is summed in the order of the token ids.
enum VocabularyLoops {
  struct Scan: Equatable {
    /// The lowest id among the largest logits.
    var argmax = 0
    var max = -Float.infinity
    /// There is no NaN and no +infinity, and something is finite.
    var isValid = false
  }

  static func scan(_ logits: UnsafeBufferPointer<Float>) -> Scan {
    var scan = Scan()
    var hasNaN = false
    for index in 0..<logits.count {
      let logit = logits[index]
      if logit > scan.max {
        scan.max = logit
        scan.argmax = index
      }
      if logit.isNaN { hasNaN = true }
    }
    scan.isValid = !hasNaN && scan.max.isFinite
    return scan
  }

  /// Sum of exp(logit - max).
  static func sumOfExponentials(_ logits: UnsafeBufferPointer<Float>, max: Float) -> Double {
    var sum = 0.0
    for index in 0..<logits.count { sum += Double(exp(logits[index] - max)) }
    return sum
  }

  /// Writes exp((logit - max) / temperature), which is 1 at the maximum, and returns the sum.
  static func weights(
    _ logits: UnsafeBufferPointer<Float>, max: Float, temperature: Float,
    into weights: UnsafeMutableBufferPointer<Float>
  ) -> Double {
    var sum = 0.0
    for index in 0..<logits.count {
      let weight = exp((logits[index] - max) / temperature)
      weights[index] = weight
      sum += Double(weight)
    }
    return sum
  }

  /// Writes the indices, ascending, of the values that are at least `threshold`, and returns how many.
  static func indices(
    of values: UnsafeBufferPointer<Float>, atLeast threshold: Float,
    into indices: UnsafeMutableBufferPointer<Int32>
  ) -> Int {
    var count = 0
    for index in 0..<values.count where values[index] >= threshold {
      indices[count] = Int32(truncatingIfNeeded: index)
      count += 1
    }
    return count
  }

  /// Writes the largest value of each `width` consecutive ones (fewer in the last), and returns how many
  /// there are.
  static func blockMaxima(
    _ values: UnsafeBufferPointer<Float>, width: Int, into maxima: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    let count = (values.count + width - 1) / width
    for block in 0..<count {
      var largest = -Float.infinity
      for index in block * width..<min(block * width + width, values.count) {
        largest = max(largest, values[index])
      }
      maxima[block] = largest
    }
    return count
  }

  /// The first index at which the running sum of the weights exceeds `share` of their total, `share` in [0,
  /// 1).
  static func index(of share: Double, in weights: UnsafeBufferPointer<Float>) -> Int {
    var total = 0.0
    for index in 0..<weights.count { total += Double(weights[index]) }
    let target = share * total
    var sum = 0.0
    for index in 0..<weights.count {
      sum += Double(weights[index])
      if sum > target { return index }
    }
    // Out of reach for share < 1, where the last partial sum is the total.
    preconditionFailure("no weight is positive")
  }
}
