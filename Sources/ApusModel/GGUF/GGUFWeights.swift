public import ApusCheckpoint
public import ApusKernels

/// The tensors of a GGUF file that `ModelConfiguration.validate` has accepted, under their Hugging Face names.
///
/// Float tensors are handed out as the file has them, blocks widened to floats.
public struct GGUFWeights: WeightSource {
  let file: GGUFFile
  let configuration: ModelConfiguration

  public init(_ file: GGUFFile, configuration: ModelConfiguration) {
    self.file = file
    self.configuration = configuration
  }

  public func withTensor(
    _ tensor: ExpectedTensor, _ body: (UnsafeRawBufferPointer, FloatType) throws(ModelError) -> Void
  ) throws(ModelError) {
    guard let name = GGUFTensorNames.name(of: tensor.name), let found = file[name] else {
      throw .tensors(.missing(path: file.path, tensor: tensor.name, expectedShape: tensor.shape))
    }
    guard found.shape == tensor.shape else {
      throw .tensors(
        .wrongShape(path: file.path, tensor: name, found: found.shape, expected: tensor.shape))
    }
    let headCount = interleavedHeadCount(tensor.name)
    if let type = FloatType(found.type), headCount == nil {
      try found.withUnsafeBytes { bytes throws(ModelError) in try body(bytes, type) }
      return
    }
    let byteCount = found.elementCount * MemoryLayout<Float>.size
    let memory: KernelMemory
    do { memory = try KernelMemory(byteCount: byteCount) } catch { throw .kernels(error) }
    let values = UnsafeMutableBufferPointer(start: memory.pointer(to: Float.self), count: found.elementCount)
    found.withUnsafeBytes { BlockFormat(found.type).dequantize($0, into: values) }
    if let headCount { pairHalves(values, headCount: headCount) }
    defer { withExtendedLifetime(memory) {} }
    try body(UnsafeRawBufferPointer(values), .f32)
  }

  public func path(of tensor: String) -> String { file.path }

  /// The heads of a projection whose rows the file has in another order; nil for other tensors.
  ///
  /// Llama's files are made for rotary embeddings that pair element 2i of a head with 2i + 1.
  private func interleavedHeadCount(_ name: String) -> Int? {
    guard configuration.architecture == .llama else { return nil }
    if name.contains(".q_proj.") { return configuration.headCount }
    return name.contains(".k_proj.") ? configuration.kvHeadCount : nil
  }

  /// Puts the rows of each head into the order of Hugging Face checkpoints, which pair element i of a head with
  /// i + headSize / 2: row 2i comes to i, row 2i + 1 to i + headSize / 2.
  private func pairHalves(_ values: UnsafeMutableBufferPointer<Float>, headCount: Int) {
    let headSize = configuration.headSize
    let columns = values.count / (headCount * headSize)
    let half = headSize / 2
    var head = [Float](repeating: 0, count: headSize * columns)
    for start in stride(from: 0, to: values.count, by: head.count) {
      head.withUnsafeMutableBufferPointer { head in
        for row in 0..<headSize {
          let source = start + (row % half * 2 + row / half) * columns
          for column in 0..<columns { head[row * columns + column] = values[source + column] }
        }
      }
      for index in head.indices { values[start + index] = head[index] }
    }
  }
}

extension ModelConfiguration {
  /// Checks that `file` holds exactly the tensors of this configuration, in the right shapes. Values are not
  /// looked at.
  public func validate(_ file: GGUFFile) throws(ModelTensorError) {
    var names: Set<String> = [GGUFTensorNames.ropeFactors]
    for tensor in expectedTensors {
      guard let name = GGUFTensorNames.name(of: tensor.name), let found = file[name] else {
        let name = GGUFTensorNames.name(of: tensor.name) ?? tensor.name
        throw .missing(path: file.path, tensor: name, expectedShape: tensor.shape)
      }
      guard found.shape == tensor.shape else {
        throw .wrongShape(path: file.path, tensor: name, found: found.shape, expected: tensor.shape)
      }
      names.insert(name)
    }
    for tensor in file.tensors where !names.contains(tensor.name) {
      throw .unexpected(path: file.path, tensor: tensor.name)
    }
  }
}

extension FloatType {
  /// The type of a GGUF tensor's elements, nil when they are in blocks.
  public init?(_ type: GGUFTensorType) {
    switch type {
    case .f32: self = .f32
    case .f16: self = .f16
    case .bf16: self = .bf16
    default: return nil
    }
  }

  /// The type as checkpoints name it.
  var dtype: TensorDType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}
