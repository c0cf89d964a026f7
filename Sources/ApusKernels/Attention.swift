import CKernels

/// The most an attention call will be asked for: what its scratch is sized by.
public struct AttentionLimits: Sendable, Equatable {
  public var rows: Int
  public var sequences: Int
  public var kvLength: Int
  public var headCount: Int
  public var layout: KVLayout

  public init(rows: Int, sequences: Int, kvLength: Int, headCount: Int, layout: KVLayout) {
    self.rows = rows
    self.sequences = sequences
    self.kvLength = kvLength
    self.headCount = headCount
    self.layout = layout
  }
}

/// What each row may see of its slot's history, given by the caller.
public struct AttentionMask {
  /// `[rows, stride]`, nonzero where the row may see the position.
  public var base: UnsafePointer<UInt8>
  /// At least the greatest KV length of the batch.
  public var stride: Int

  public init(base: UnsafePointer<UInt8>, stride: Int) {
    self.base = base
    self.stride = stride
  }
}

extension KernelContext {
  /// Scratch that any `attention` call within `limits` can do with.
  public func attentionScratchByteCount(_ limits: AttentionLimits) -> Int {
    var cLimits = ck_attention_limits(
      num_rows: Int32(limits.rows), num_sequences: Int32(limits.sequences),
      kv_length: Int32(limits.kvLength), num_heads: Int32(limits.headCount),
      num_kv_heads: Int32(limits.layout.kvHeadCount), head_size: Int32(limits.layout.headSize))
    return ck_attention_scratch_bytes(pointer, &cLimits)
  }

  /// Causal grouped-query attention of every row over its own slot's history; see `ck_attention_f32`.
  ///
  /// - Parameters:
  ///   - query: `[rows, stride]`, `headCount` heads side by side, scaled by `1 / sqrt(headSize)` inside.
  ///   - window: positions a row sees, its own included; nil for all.
  ///   - mask: which positions each row may see, on top of the causal rule and the window; nil for all.
  ///   - out: `[rows, stride]`, heads side by side.
  ///   - scratch: `attentionScratchByteCount` bytes, 64-byte aligned.
  public func attention(
    query: RowBuffer, headCount: Int, window: Int?, mask: AttentionMask? = nil, batch: RaggedRows,
    cache: KVPages, out: RowBuffer, scratch: UnsafeMutableRawPointer
  ) {
    precondition(headCount % cache.layout.kvHeadCount == 0)
    let columns = headCount * cache.layout.headSize
    precondition(query.stride >= columns && out.stride >= columns && window ?? 1 > 0)
    var args = ck_attention_args(
      q: query.base, q_stride: query.stride, num_heads: Int32(headCount),
      scale: Float(1 / Double(cache.layout.headSize).squareRoot()), window: Int32(window ?? 0),
      mask: mask?.base, mask_stride: mask?.stride ?? 0, batch: batch.cValue, kv: cache.cValue, out: out.base,
      out_stride: out.stride,
      scratch: scratch)
    ck_attention_f32(pointer, &args)
  }
}
