import Foundation
public import ApusCheckpoint
public import ApusKernels

/// Where a model's tensors come from, under their Hugging Face names.
public protocol WeightSource {
  /// What holds a matrix as the source has it, without loss.
  /// - Throws: `ModelError` when the tensor cannot be had.
  func panelType(of tensor: ExpectedTensor) throws(ModelError) -> PanelType

  /// Runs `body` on the elements of a tensor, row-major.
  /// - Throws: `ModelError` when the tensor cannot be had, or what `body` throws.
  func withElements(
    _ tensor: ExpectedTensor, _ body: (MatrixElements) throws(ModelError) -> Void
  ) throws(ModelError)

  /// The file that holds a tensor, or what else its values come from: for errors.
  func path(of tensor: String) -> String
}

extension WeightSource {
  /// Runs `body` on the elements of a tensor as floats, widened where they are integers.
  func withFloats(
    _ tensor: ExpectedTensor, _ body: (UnsafeRawBufferPointer, FloatType) throws(ModelError) -> Void
  ) throws(ModelError) {
    try withElements(tensor) { elements throws(ModelError) in
      if case .floats(let bytes, let type) = elements { return try body(bytes, type) }
      let count = tensor.shape.reduce(1, *)
      let memory: KernelMemory
      do throws(KernelError) {
        memory = try KernelMemory(byteCount: count * MemoryLayout<Float>.size)
      } catch { throw .kernels(error) }
      let values = UnsafeMutableBufferPointer(start: memory.pointer(to: Float.self), count: count)
      let columns = tensor.shape.last ?? 1
      elements.widen(rows: count / columns, columns: columns, into: values)
      defer { withExtendedLifetime(memory) {} }
      try body(UnsafeRawBufferPointer(values), .f32)
    }
  }
}

/// The tensors of a checkpoint that `ModelConfiguration.validate` has accepted.
public struct CheckpointWeights: WeightSource {
  let checkpoint: Checkpoint
  let quantization: QuantizationConfiguration?

  public init(_ checkpoint: Checkpoint, configuration: ModelConfiguration) {
    self.checkpoint = checkpoint
    quantization = configuration.quantization
  }

  public func panelType(of tensor: ExpectedTensor) throws(ModelError) -> PanelType {
    if let parts = quantizedParts(of: tensor) {
      return AffineGroups.panelType(bits: parts.format.bits, scaleType: try floatType(parts.scales))
    }
    return PanelType(try floatType(found(tensor)))
  }

  public func withElements(
    _ tensor: ExpectedTensor, _ body: (MatrixElements) throws(ModelError) -> Void
  ) throws(ModelError) {
    let found = try found(tensor)
    defer { found.releasePages() }
    guard let parts = quantizedParts(of: tensor) else {
      let type = try floatType(found)
      return try found.withUnsafeBytes { bytes throws(ModelError) in try body(.floats(bytes, type)) }
    }
    let scaleType = try floatType(parts.scales)
    try found.withUnsafeBytes { integers throws(ModelError) in
      try parts.scales.withUnsafeBytes { scales throws(ModelError) in
        try parts.minima.withUnsafeBytes { minima throws(ModelError) in
          try body(
            .affine(
              AffineGroups(
                integers: integers, scales: scales, minima: minima, scaleType: scaleType,
                bits: parts.format.bits, groupSize: parts.format.groupSize)))
        }
      }
    }
  }

  public func path(of tensor: String) -> String { checkpoint[tensor]?.path ?? checkpoint.directory.path }

  private func found(_ tensor: ExpectedTensor) throws(ModelError) -> CheckpointTensor {
    if let found = checkpoint[tensor.name] { return found }
    throw .tensors(
      .missing(path: checkpoint.directory.path, tensor: tensor.name, expectedShape: tensor.shape))
  }

  private func floatType(_ tensor: CheckpointTensor) throws(ModelError) -> FloatType {
    if let type = FloatType(tensor.dtype) { return type }
    throw .tensors(
      .unusableDType(path: tensor.path, tensor: tensor.name, found: tensor.dtype))
  }

  private struct Parts {
    let format: AffineFormat
    let scales: CheckpointTensor
    let minima: CheckpointTensor
  }

  private func quantizedParts(of tensor: ExpectedTensor) -> Parts? {
    guard let names = QuantizedNames(weight: tensor.name), let scales = checkpoint[names.scales],
      let minima = checkpoint[names.biases], let format = quantization?.format(of: names.module)
    else { return nil }
    return Parts(format: format, scales: scales, minima: minima)
  }
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
