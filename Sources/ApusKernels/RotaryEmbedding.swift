import CKernels

/// Cosines and sines of every position's angles, `[positions, headSize / 2]` each.
///
/// Source: Su et al., "RoFormer", 2021; Llama 3.1's scaling of long wavelengths.
public final class RotaryTable: Sendable {
  /// How wavelengths are stretched beyond the trained context.
  public enum Scaling: Sendable, Equatable {
    case none
    case linear(factor: Double)
    case llama3(
      factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContextLength: Int)
  }

  public let headSize: Int
  public let positionCount: Int
  private let memory: KernelMemory

  public init(headSize: Int, theta: Double, scaling: Scaling, positionCount: Int) throws(KernelError) {
    precondition(headSize > 0 && headSize % 2 == 0 && positionCount > 0)
    self.headSize = headSize
    self.positionCount = positionCount
    let pairs = headSize / 2
    memory = try KernelMemory(byteCount: 2 * positionCount * pairs * MemoryLayout<Float>.size)
    var args = ck_rope_frequency_args()
    args.head_size = Int32(headSize)
    args.theta = theta
    switch scaling {
    case .none: args.scaling = CK_ROPE_SCALING_NONE
    case .linear(let factor):
      args.scaling = CK_ROPE_SCALING_LINEAR
      args.factor = factor
    case .llama3(let factor, let low, let high, let original):
      args.scaling = CK_ROPE_SCALING_LLAMA3
      args.factor = factor
      args.low_freq_factor = low
      args.high_freq_factor = high
      args.original_max_position_embeddings = Double(original)
    }
    let frequencies = UnsafeMutablePointer<Float>.allocate(capacity: pairs)
    defer { frequencies.deallocate() }
    ck_rope_frequencies(&args, frequencies)
    ck_rope_table_fill(
      frequencies, Int32(pairs), 0, Int32(positionCount), memory.pointer(),
      memory.pointer(byteOffset: positionCount * pairs * MemoryLayout<Float>.size))
  }

  var cosines: UnsafePointer<Float> { UnsafePointer(memory.pointer()) }
  var sines: UnsafePointer<Float> {
    UnsafePointer(memory.pointer(byteOffset: positionCount * headSize / 2 * MemoryLayout<Float>.size))
  }
}

/// Which elements of a head turn together.
public enum RotaryPairing: Sendable {
  /// `(i, i + headSize / 2)`: Hugging Face checkpoints.
  case halves
  /// `(2i, 2i + 1)`: the original paper, Meta's own Llama files.
  case interleaved
}

/// The columns of a joint query, key and value product, `[rows, stride]`.
public struct QKVRows {
  public var rows: RowBuffer
  public var headCount: Int
  /// First key column.
  public var keyOffset: Int
  /// First value column.
  public var valueOffset: Int

  public init(rows: RowBuffer, headCount: Int, keyOffset: Int, valueOffset: Int) {
    self.rows = rows
    self.headCount = headCount
    self.keyOffset = keyOffset
    self.valueOffset = valueOffset
  }
}

/// Weights of the RMSNorm that each query and key head passes before it is turned, `[headSize]` each.
public struct HeadNorms {
  public var query: UnsafePointer<Float>
  public var key: UnsafePointer<Float>
  public var epsilon: Float

  public init(query: UnsafePointer<Float>, key: UnsafePointer<Float>, epsilon: Float) {
    self.query = query
    self.key = key
    self.epsilon = epsilon
  }
}

extension KernelContext {
  /// Norms query and key heads (where weights are given), turns both by their rows' positions, and appends
  /// keys and values to the cache.
  public func ropeAppend(
    _ qkv: QKVRows, norms: HeadNorms?, table: RotaryTable, pairing: RotaryPairing = .halves,
    batch: RaggedRows, cache: KVPages
  ) {
    precondition(table.headSize == cache.layout.headSize)
    var args = ck_rope_append_args(
      qkv: qkv.rows.base, qkv_stride: qkv.rows.stride, k_offset: qkv.keyOffset, v_offset: qkv.valueOffset,
      num_heads: Int32(qkv.headCount), q_norm: norms?.query, k_norm: norms?.key,
      norm_eps: norms?.epsilon ?? 0, cosines: table.cosines, sines: table.sines,
      pairing: pairing == .halves ? CK_ROPE_HALVES : CK_ROPE_INTERLEAVED,
      batch: batch.cValue, kv: cache.cValue)
    ck_rope_append_f32(pointer, &args)
  }
}
