package import ApusKernels
import Foundation

/// Why no token can be drawn.
package enum SamplingFailure: Error, Sendable, Equatable {
  /// The model's logits hold NaN or +infinity, or nothing finite.
  case invalidLogits
  /// No token that has a probability may come: allowed tokens, mask and `minTokens` exclude one another.
  case nothingAllowed
}

/// Draws tokens from rows of logits, as `SamplingParameters` says. What it draws depends on the row, the
/// parameters, the context, the seed and the position, and on nothing else. Owns scratch for one row; not
/// thread-safe.
package final class Sampler {
  package struct Sample: Sendable, Equatable {
    package var token: Int32
    package var logprobs: TokenLogprobs?
  }

  /// What logprobs of one row have in common.
  private struct RowLogprobs {
    var max: Float
    /// Logarithm of the sum of exp(logit - max).
    var logSum: Double
    var top: [TokenLogprobs.Alternative] = []

    func logprob(_ logit: Float) -> Float { Float(Double(logit - max) - logSum) }

    func of(_ chosen: Float) -> TokenLogprobs { TokenLogprobs(chosen: logprob(chosen), top: top) }
  }

  private let vocabularySize: Int
  private let kernels: KernelContext
  /// Tokens still in the running, ascending, with their logits and weights.
  private let ids: UnsafeMutableBufferPointer<Int32>
  private let values: UnsafeMutableBufferPointer<Float>
  private let weights: UnsafeMutableBufferPointer<Float>
  /// The row that is drawn from, where logprobs need the model's own afterwards.
  private let processed: UnsafeMutableBufferPointer<Float>
  private let scratch: UnsafeMutableBufferPointer<Int32>
  /// Of the row's blocks: the largest logit, and the sum of the weights last computed.
  private let blockMax: UnsafeMutableBufferPointer<Float>
  private let blockSums: UnsafeMutableBufferPointer<Float>
  private var selection = PrefixSelection()
  private let processor: LogitsProcessor

  /// - Parameter kernels: run the passes over whole rows.
  package init(vocabularySize: Int, kernels: KernelContext) {
    precondition(vocabularySize > 0 && vocabularySize <= Int32.max, "\(vocabularySize) logits")
    self.vocabularySize = vocabularySize
    self.kernels = kernels
    func buffer<T: Numeric>(_ count: Int) -> UnsafeMutableBufferPointer<T> {
      let buffer = UnsafeMutableBufferPointer<T>.allocate(capacity: count)
      buffer.initialize(repeating: 0)
      return buffer
    }
    ids = buffer(vocabularySize)
    values = buffer(vocabularySize)
    weights = buffer(vocabularySize)
    processed = buffer(vocabularySize)
    scratch = buffer(vocabularySize)
    blockMax = buffer(KernelContext.logitBlockCount(vocabularySize))
    blockSums = buffer(KernelContext.logitBlockCount(vocabularySize))
    processor = LogitsProcessor(vocabularySize: vocabularySize)
  }

  deinit {
    ids.deallocate()
    values.deallocate()
    weights.deallocate()
    processed.deallocate()
    scratch.deallocate()
    blockMax.deallocate()
    blockSums.deallocate()
  }

  /// The token for `position`. Allocates nothing unless logprobs are asked for.
  ///
  /// - Parameters:
  ///   - logits: `[V]`; may be overwritten where the parameters or the context change them.
  ///   - position: the drawn token's own.
  package func sample(
    _ logits: UnsafeMutableBufferPointer<Float>, parameters: SamplingParameters, seed: UInt64, position: Int,
    context: SamplingContext
  ) throws(SamplingFailure) -> Sample {
    let row = UnsafeBufferPointer(logits)
    var scan = try scan(row)
    let rowLogprobs = parameters.logprobs.map { logprobs(of: row, max: scan.max, topCount: $0) }
    var source = row
    if LogitsProcessor.isNeeded(parameters, context) {
      var target = logits
      if rowLogprobs != nil {
        target = processed
        _ = target.update(from: row)
      }
      processor.process(target, parameters, context)
      source = UnsafeBufferPointer(target)
      scan = kernels.scanLogits(source, blockMax: blockMax)
      guard scan.isValid else { throw .nothingAllowed }
    }
    let token = token(from: source, scan, parameters, seed: seed, position: position)
    return Sample(token: Int32(token), logprobs: rowLogprobs?.of(row[token]))
  }

  /// The same of a row that nothing changes, with nothing before it. Nil: invalid logits.
  package func sample(
    _ logits: UnsafeBufferPointer<Float>, parameters: SamplingParameters, seed: UInt64, position: Int
  ) -> Sample? {
    guard let scan = try? scan(logits) else { return nil }
    let rowLogprobs = parameters.logprobs.map { logprobs(of: logits, max: scan.max, topCount: $0) }
    let token = token(from: logits, scan, parameters, seed: seed, position: position)
    return Sample(token: Int32(token), logprobs: rowLogprobs?.of(logits[token]))
  }

  /// What the row of the position before it, `[V]`, says of `token` and of the `topCount` most likely tokens.
  /// Nil: invalid logits.
  package func logprobs(
    of token: Int32, in row: UnsafeBufferPointer<Float>, topCount: Int
  ) -> TokenLogprobs? {
    precondition(token >= 0 && Int(token) < vocabularySize, "token \(token) of \(vocabularySize)")
    guard let scan = try? scan(row) else { return nil }
    return logprobs(of: row, max: scan.max, topCount: topCount).of(row[Int(token)])
  }

  private func scan(_ row: UnsafeBufferPointer<Float>) throws(SamplingFailure) -> LogitScan {
    precondition(row.count == vocabularySize, "\(row.count) logits, expected \(vocabularySize)")
    let scan = kernels.scanLogits(row, blockMax: blockMax)
    guard scan.isValid else { throw .invalidLogits }
    return scan
  }

  /// `scan` and `blockMax` are the row's.
  private func token(
    from row: UnsafeBufferPointer<Float>, _ scan: LogitScan, _ parameters: SamplingParameters, seed: UInt64,
    position: Int
  ) -> Int {
    guard parameters.temperature > 0 else { return scan.argmax }
    let share = Philox.uniform(seed: seed, position: position)
    return draw(row, max: scan.max, parameters: parameters, share: share)
  }

  private func draw(
    _ logits: UnsafeBufferPointer<Float>, max: Float, parameters: SamplingParameters, share: Double
  ) -> Int {
    var count: Int
    var mass: Double
    if parameters.topK > 0 && parameters.topK < logits.count {
      count = selectLargest(parameters.topK, of: logits)
      mass = kernels.logitWeights(
        UnsafeBufferPointer(rebasing: values[..<count]), max: max, temperature: parameters.temperature,
        into: weights, blockSums: blockSums)
    } else {
      mass = kernels.logitWeights(
        logits, max: max, temperature: parameters.temperature, into: weights, blockSums: blockSums)
      if parameters.topP == 1 && parameters.minP == 0 { return indexInBlocks(share * mass) }
      count = selectLikely(logits, max: max, mass: mass, parameters: parameters)
    }
    if parameters.topP < 1 {
      let cut = selection.cut(
        UnsafeBufferPointer(rebasing: values[..<count]),
        weights: UnsafeBufferPointer(rebasing: weights[..<count]), mass: Double(parameters.topP) * mass,
        scratch: scratch)
      count = compact(count, cut: cut)
    }
    count = compact(count, minWeight: parameters.minP)
    let total = weights[..<count].reduce(0) { $0 + Double($1) }
    return Int(ids[index(share * total, first: 0, count: count, sum: 0)])
  }

  /// The first index at which the running sum of the row's weights exceeds `target`. Whole blocks are
  /// passed by.
  private func indexInBlocks(_ target: Double) -> Int {
    var sum = 0.0
    var block = 0
    while block < blockSums.count - 1 && sum + Double(blockSums[block]) <= target {
      sum += Double(blockSums[block])
      block += 1
    }
    let first = block * KernelContext.logitBlock
    return index(
      target, first: first, count: min(KernelContext.logitBlock, vocabularySize - first), sum: sum)
  }

  /// The same from `first` on, where the sum is `sum`. A rounding may leave the target out of reach; the
  /// last token that has any weight is drawn then.
  private func index(_ target: Double, first: Int, count: Int, sum: Double) -> Int {
    var sum = sum
    var last = first
    for index in first..<first + count where weights[index] > 0 {
      sum += Double(weights[index])
      last = index
      if sum > target { break }
    }
    return last
  }

  /// Leaves the `k` largest logits in `ids` and `values`. Reads the blocks that hold them only, if k is
  /// small: the k-th largest of the blocks' maxima has k logits at or above it, so the k largest are among
  /// those.
  private func selectLargest(_ k: Int, of logits: UnsafeBufferPointer<Float>) -> Int {
    var threshold = -Float.infinity
    if k < blockMax.count {
      let cut = selection.cut(UnsafeBufferPointer(blockMax), count: k, scratch: scratch)
      threshold = PrefixSelection.value(ofKey: cut.key)
    }
    var count = 0
    for block in blockMax.indices where blockMax[block] >= threshold {
      for id in ids(ofBlock: block) where logits[id] >= threshold {
        ids[count] = Int32(truncatingIfNeeded: id)
        values[count] = logits[id]
        count += 1
      }
    }
    let cut = selection.cut(UnsafeBufferPointer(rebasing: values[..<count]), count: k, scratch: scratch)
    return compact(count, cut: cut)
  }

  /// Leaves in `ids`, `values` and `weights` all tokens that top-p and min-p can keep. `weights` holds the
  /// row's.
  ///
  /// The tokens below the n-th part of 1 - topP of the mass weigh less than 1 - topP of it together, so the
  /// rest reaches topP without them. A little less than that, so that rounding drops none of the rest.
  private func selectLikely(
    _ logits: UnsafeBufferPointer<Float>, max: Float, mass: Double, parameters: SamplingParameters
  ) -> Int {
    let topP = Double(parameters.topP)
    let nucleus = topP < 1 ? 0.99 * (1 - topP) * mass / Double(logits.count) : 0
    let threshold = Swift.max(Float(nucleus), parameters.minP)
    // The threshold's exponent with room for the rounding of weights: a block below it has nothing to keep.
    let exponent = log(threshold) - 0.01
    var count = 0
    for block in blockMax.indices where (blockMax[block] - max) / parameters.temperature >= exponent {
      for id in ids(ofBlock: block) where weights[id] >= threshold {
        ids[count] = Int32(truncatingIfNeeded: id)
        values[count] = logits[id]
        weights[count] = weights[id]
        count += 1
      }
    }
    return count
  }

  private func ids(ofBlock block: Int) -> Range<Int> {
    let first = block * KernelContext.logitBlock
    return first..<min(first + KernelContext.logitBlock, vocabularySize)
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

  /// `blockMax` holds the row's.
  private func logprobs(of row: UnsafeBufferPointer<Float>, max: Float, topCount: Int) -> RowLogprobs {
    let sum = kernels.logitWeights(row, max: max, temperature: 1, into: nil, blockSums: blockSums)
    var logprobs = RowLogprobs(max: max, logSum: log(sum))
    if topCount > 0 {
      let count = selectLargest(topCount, of: row)
      let order = (0..<count).sorted { (values[$0], ids[$1]) > (values[$1], ids[$0]) }
      logprobs.top = order.map {
        TokenLogprobs.Alternative(id: ids[$0], logprob: logprobs.logprob(values[$0]))
      }
    }
    return logprobs
  }
}
