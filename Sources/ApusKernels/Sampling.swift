import CKernels

/// What one pass over a row of logits finds.
public struct LogitScan: Sendable, Equatable {
  public var max: Float
  /// The lowest index whose logit equals `max`.
  public var argmax: Int
  /// There is no NaN, no +infinity, and `max` is finite. The rest is undefined when not.
  public var isValid: Bool
}

extension KernelContext {
  /// Logits of one block.
  public static let logitBlock = Int(CK_LOGIT_BLOCK)

  /// Blocks of a row.
  public static func logitBlockCount(_ count: Int) -> Int { (count + logitBlock - 1) / logitBlock }

  /// Finds the largest logit of the row and of each block.
  ///
  /// - Parameters:
  ///   - logits: `[V]`, V at least 1
  ///   - blockMax: `[logitBlockCount(V)]` or more; written
  public func scanLogits(
    _ logits: UnsafeBufferPointer<Float>, blockMax: UnsafeMutableBufferPointer<Float>
  ) -> LogitScan {
    precondition(!logits.isEmpty && blockMax.count >= Self.logitBlockCount(logits.count))
    var args = ck_logit_scan_args(
      logits: logits.baseAddress, count: Int32(logits.count), block_max: blockMax.baseAddress)
    let result = ck_logit_scan(pointer, &args)
    return LogitScan(max: result.max, argmax: Int(result.argmax), isValid: result.is_valid)
  }

  /// `weights[i] = exp((logits[i] - max) / temperature)`: exactly 1 at the maximum. Returns their sum.
  ///
  /// - Parameters:
  ///   - logits: `[V]`, V at least 1, none NaN or above `max`
  ///   - weights: `[V]` or more, may be `logits` itself; nil when only sums are wanted
  ///   - blockSums: `[logitBlockCount(V)]` or more; written
  @discardableResult
  public func logitWeights(
    _ logits: UnsafeBufferPointer<Float>, max: Float, temperature: Float,
    into weights: UnsafeMutableBufferPointer<Float>?, blockSums: UnsafeMutableBufferPointer<Float>
  ) -> Double {
    precondition(!logits.isEmpty && blockSums.count >= Self.logitBlockCount(logits.count))
    precondition(weights.map { $0.count >= logits.count } ?? true)
    var args = ck_logit_weights_args(
      logits: logits.baseAddress, count: Int32(logits.count), max: max, temperature: temperature,
      weights: weights?.baseAddress, block_sum: blockSums.baseAddress)
    return ck_logit_weights(pointer, &args)
  }
}
