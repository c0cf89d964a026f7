import Foundation

/// Draws tokens from rows of logits, as `SamplingParameters` says. What it draws depends on the row, the
/// parameters, the seed and the position, and on nothing else. Owns scratch for one row; not thread-safe.
package final class Sampler {
  package struct Sample: Sendable, Equatable {
    package var token: Int32
    package var logprobs: TokenLogprobs?
  }

  /// Rows at least this long are thinned out before a selection.
  private static let thinningCount = 2048
  private static let blockWidth = 64

  private let vocabularySize: Int
  /// Tokens still in the running, ascending, with their logits and weights.
  private let ids: UnsafeMutableBufferPointer<Int32>
  private let values: UnsafeMutableBufferPointer<Float>
  private let weights: UnsafeMutableBufferPointer<Float>
  private let scratch: UnsafeMutableBufferPointer<Int32>
  private var selection = PrefixSelection()

  package init(vocabularySize: Int) {
    precondition(vocabularySize > 0 && vocabularySize <= Int32.max, "\(vocabularySize) logits")
    self.vocabularySize = vocabularySize
    ids = .allocate(capacity: vocabularySize)
    values = .allocate(capacity: vocabularySize)
    weights = .allocate(capacity: vocabularySize)
    scratch = .allocate(capacity: vocabularySize)
    ids.initialize(repeating: 0)
    values.initialize(repeating: 0)
    weights.initialize(repeating: 0)
    scratch.initialize(repeating: 0)
  }

  deinit {
    ids.deallocate()
    values.deallocate()
    weights.deallocate()
    scratch.deallocate()
  }

  /// The token for `position`. Nil: the logits hold NaN or +infinity, or nothing finite.
  package func sample(
    _ logits: UnsafeBufferPointer<Float>, parameters: SamplingParameters, seed: UInt64, position: Int
  ) -> Sample? {
    precondition(logits.count == vocabularySize, "\(logits.count) logits, expected \(vocabularySize)")
    let scan = VocabularyLoops.scan(logits)
    guard scan.isValid else { return nil }
    let token =
      parameters.temperature == 0
      ? scan.argmax
      : draw(
        logits, max: scan.max, parameters: parameters,
        share: Philox.uniform(seed: seed, position: position))
    let logprobs = parameters.logprobs.map {
      tokenLogprobs(logits, max: scan.max, chosen: token, topCount: $0)
    }
    return Sample(token: Int32(token), logprobs: logprobs)
  }

  private func draw(
    _ logits: UnsafeBufferPointer<Float>, max: Float, parameters: SamplingParameters, share: Double
  ) -> Int {
    var count: Int
    var mass: Double
    if parameters.topK > 0 && parameters.topK < logits.count {
      count = selectLargest(parameters.topK, of: logits)
      mass = VocabularyLoops.weights(
        UnsafeBufferPointer(rebasing: values[..<count]), max: max, temperature: parameters.temperature,
        into: UnsafeMutableBufferPointer(rebasing: weights[..<count]))
    } else {
      mass = VocabularyLoops.weights(
        logits, max: max, temperature: parameters.temperature, into: weights)
      if parameters.topP == 1 && parameters.minP == 0 {
        return VocabularyLoops.index(of: share, in: UnsafeBufferPointer(weights))
      }
      count = selectLikely(logits, mass: mass, topP: parameters.topP, minP: parameters.minP)
    }
    if parameters.topP < 1 {
      let cut = selection.cut(
        UnsafeBufferPointer(rebasing: values[..<count]),
        weights: UnsafeBufferPointer(rebasing: weights[..<count]), mass: Double(parameters.topP) * mass,
        scratch: scratch)
      count = compact(count, cut: cut)
    }
    count = compact(count, minWeight: parameters.minP)
    let index = VocabularyLoops.index(of: share, in: UnsafeBufferPointer(rebasing: weights[..<count]))
    return Int(ids[index])
  }

  /// Leaves the `k` largest logits in `ids` and `values`.
  private func selectLargest(_ k: Int, of logits: UnsafeBufferPointer<Float>) -> Int {
    var threshold = -Float.infinity
    let blocks = (logits.count + Self.blockWidth - 1) / Self.blockWidth
    if logits.count >= Self.thinningCount && k <= blocks {
      // The k-th largest of the blocks' maxima has k logits at or above it, so the k largest are among those.
      let maxima = UnsafeMutableBufferPointer(rebasing: weights[..<blocks])
      _ = VocabularyLoops.blockMaxima(logits, width: Self.blockWidth, into: maxima)
      let cut = selection.cut(UnsafeBufferPointer(maxima), count: k, scratch: scratch)
      let kth = (0..<blocks).first { PrefixSelection.key(maxima[$0]) == cut.key }
      threshold = kth.map { maxima[$0] } ?? threshold
    }
    let count = VocabularyLoops.indices(of: logits, atLeast: threshold, into: ids)
    for index in 0..<count { values[index] = logits[Int(ids[index])] }
    let cut = selection.cut(UnsafeBufferPointer(rebasing: values[..<count]), count: k, scratch: scratch)
    return compact(count, cut: cut)
  }

  /// Leaves in `ids`, `values` and `weights` all tokens that top-p and min-p can keep. `weights` holds the
  /// row's.
  ///
  /// The tokens below the n-th part of 1 - topP of the mass weigh less than 1 - topP of it together, so the
  /// rest reaches topP without them. A little less than that, so that rounding drops none of the rest.
  private func selectLikely(
    _ logits: UnsafeBufferPointer<Float>, mass: Double, topP: Float, minP: Float
  ) -> Int {
    let nucleus = topP < 1 ? 0.99 * (1 - Double(topP)) * mass / Double(logits.count) : 0
    let count = VocabularyLoops.indices(
      of: UnsafeBufferPointer(weights), atLeast: max(Float(nucleus), minP), into: ids)
    for index in 0..<count {
      values[index] = logits[Int(ids[index])]
      weights[index] = weights[Int(ids[index])]
    }
    return count
  }

  /// Drops what the cut does not keep and closes the gaps. Weights move along.
  private func compact(_ count: Int, cut: PrefixSelection.Cut) -> Int {
    var kept = 0
    var ties = 0
    for index in 0..<count {
      let key = PrefixSelection.key(values[index])
      if key == cut.key { ties += 1 }
      if key > cut.key || (key == cut.key && ties <= cut.ties) {
        move(index, to: kept)
        kept += 1
      }
    }
    return kept
  }

  private func compact(_ count: Int, minWeight: Float) -> Int {
    var kept = 0
    for index in 0..<count where weights[index] >= minWeight {
      move(index, to: kept)
      kept += 1
    }
    return kept
  }

  private func move(_ index: Int, to kept: Int) {
    ids[kept] = ids[index]
    values[kept] = values[index]
    weights[kept] = weights[index]
  }

  private func tokenLogprobs(
    _ logits: UnsafeBufferPointer<Float>, max: Float, chosen: Int, topCount: Int
  ) -> TokenLogprobs {
    let logSum = log(VocabularyLoops.sumOfExponentials(logits, max: max))
    func logprob(_ logit: Float) -> Float { Float(Double(logit - max) - logSum) }
    var top: [TokenLogprobs.Alternative] = []
    if topCount > 0 {
      let count = selectLargest(topCount, of: logits)
      let order = (0..<count).sorted { (values[$0], ids[$1]) > (values[$1], ids[$0]) }
      top = order.map { TokenLogprobs.Alternative(id: ids[$0], logprob: logprob(values[$0])) }
    }
    return TokenLogprobs(chosen: logprob(logits[chosen]), top: top)
  }
}
