public import ApusCheckpoint
public import ApusKernels

extension BlockFormat {
  /// The format of a GGUF tensor's blocks.
  public init(_ type: GGUFTensorType) {
    switch type {
    case .f32: self = .f32
    case .f16: self = .f16
    case .bf16: self = .bf16
    case .q8Zero: self = .q8Zero
    case .q4Zero: self = .q4Zero
    case .q4One: self = .q4One
    case .q5Zero: self = .q5Zero
    case .q5One: self = .q5One
    case .q4K: self = .q4K
    case .q5K: self = .q5K
    case .q6K: self = .q6K
    }
  }
}
