import Foundation
public import ApusCheckpoint
public import ApusKernels

/// Where a model's tensors come from, under their Hugging Face names.
public protocol WeightSource {
  /// Runs `body` on the row-major bytes of a tensor, at any alignment.
  /// - Throws: `ModelError` when the tensor cannot be had, or what `body` throws.
  func withTensor(
    _ tensor: ExpectedTensor, _ body: (UnsafeRawBufferPointer, FloatType) throws(ModelError) -> Void
  ) throws(ModelError)

  /// The file that holds a tensor, or what else its values come from: for errors.
  func path(of tensor: String) -> String
}

/// The tensors of a checkpoint that `ModelConfiguration.validate` has accepted.
public struct CheckpointWeights: WeightSource {
  let checkpoint: Checkpoint

  public init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
  }

  public func withTensor(
    _ tensor: ExpectedTensor, _ body: (UnsafeRawBufferPointer, FloatType) throws(ModelError) -> Void
  ) throws(ModelError) {
    guard let found = checkpoint[tensor.name] else {
      throw .tensors(
        .missing(path: checkpoint.directory.path, tensor: tensor.name, expectedShape: tensor.shape))
    }
    guard let type = FloatType(found.dtype) else {
      throw .tensors(.unusableDType(path: found.path, tensor: tensor.name, found: found.dtype))
    }
    try found.withUnsafeBytes { bytes throws(ModelError) in try body(bytes, type) }
  }

  public func path(of tensor: String) -> String { checkpoint[tensor]?.path ?? checkpoint.directory.path }
}

extension FloatType {
  /// The type of a checkpoint's tensor, nil when weights may not have it.
  public init?(_ dtype: TensorDType) {
    switch dtype {
    case .f32: self = .f32
    case .f16: self = .f16
    case .bf16: self = .bf16
    default: return nil
    }
  }
}
