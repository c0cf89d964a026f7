/// How the elements of a GGUF tensor are stored: the types of the format that this engine reads.
///
/// Elements come in blocks along a tensor's contiguous axis; a block is one element for the float types.
/// Raw values are those of the format. Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
public enum GGUFTensorType: UInt32, Sendable, Equatable, CaseIterable {
  case f32 = 0
  case f16 = 1
  case q4Zero = 2
  case q4One = 3
  case q5Zero = 6
  case q5One = 7
  case q8Zero = 8
  case q4K = 12
  case q5K = 13
  case q6K = 14
  case bf16 = 30

  /// The type's name as tools of the format write it.
  public var name: String {
    switch self {
    case .f32: "F32"
    case .f16: "F16"
    case .bf16: "BF16"
    case .q8Zero: "Q8_0"
    case .q4Zero: "Q4_0"
    case .q4One: "Q4_1"
    case .q5Zero: "Q5_0"
    case .q5One: "Q5_1"
    case .q4K: "Q4_K"
    case .q5K: "Q5_K"
    case .q6K: "Q6_K"
    }
  }

  /// Elements of one block.
  public var blockElementCount: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4Zero, .q4One, .q5Zero, .q5One, .q8Zero: 32
    case .q4K, .q5K, .q6K: 256
    }
  }

  /// Bytes of one block, as a sum of its parts: scales, minima, high bits, low bits.
  public var blockByteCount: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q8Zero: 2 + 32
    case .q4Zero: 2 + 16
    case .q4One: 2 + 2 + 16
    case .q5Zero: 2 + 4 + 16
    case .q5One: 2 + 2 + 4 + 16
    case .q4K: 2 + 2 + 12 + 128
    case .q5K: 2 + 2 + 12 + 32 + 128
    case .q6K: 128 + 64 + 16 + 2
    }
  }
}
