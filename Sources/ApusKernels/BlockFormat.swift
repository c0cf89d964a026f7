import CKernels

/// How a file stores a tensor's elements: blocks of them along the contiguous axis, each with scales of its own.
///
/// `ck_quant.h` has the layouts.
public enum BlockFormat: String, Sendable, CaseIterable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case q8Zero = "Q8_0"
  case q4Zero = "Q4_0"
  case q4One = "Q4_1"
  case q5Zero = "Q5_0"
  case q5One = "Q5_1"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"

  var cValue: ck_block_format {
    switch self {
    case .f32: CK_BLOCK_F32
    case .f16: CK_BLOCK_F16
    case .bf16: CK_BLOCK_BF16
    case .q8Zero: CK_BLOCK_Q8_0
    case .q4Zero: CK_BLOCK_Q4_0
    case .q4One: CK_BLOCK_Q4_1
    case .q5Zero: CK_BLOCK_Q5_0
    case .q5One: CK_BLOCK_Q5_1
    case .q4K: CK_BLOCK_Q4_K
    case .q5K: CK_BLOCK_Q5_K
    case .q6K: CK_BLOCK_Q6_K
    }
  }

  /// Elements of one block: 1 for the float formats.
  public var blockElementCount: Int { ck_block_elements(cValue) }

  /// Bytes of one block.
  public var blockByteCount: Int { ck_block_bytes(cValue) }

  /// Widens whole blocks, at any alignment, to floats, the same bits on every processor. One thread.
  ///
  /// - Parameters:
  ///   - blocks: `[blocks, blockByteCount]`
  ///   - out: `[blocks, blockElementCount]`; written. Elements are infinite or NaN where a block's scales are.
  public func dequantize(
    _ blocks: UnsafeRawBufferPointer, into out: UnsafeMutableBufferPointer<Float>
  ) {
    let count = blocks.count / blockByteCount
    precondition(blocks.count == count * blockByteCount && out.count == count * blockElementCount)
    guard count > 0, let blocks = blocks.baseAddress, let out = out.baseAddress else { return }
    ck_dequantize(cValue, blocks, count, out)
  }
}
