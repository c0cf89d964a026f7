public import ApusCheckpoint
public import ApusKernels

/// The tensors of a GGUF file that `ModelConfiguration.validate` has accepted, under their Hugging Face names.
///
/// Floats and blocks are handed out as the file has them, Llama's query and key rows in another order.
public struct GGUFWeights: WeightSource {
  let file: GGUFFile
  let configuration: ModelConfiguration

  public init(_ file: GGUFFile, configuration: ModelConfiguration) {
    self.file = file
    self.configuration = configuration
  }

  public func panelType(of tensor: ExpectedTensor) throws(ModelError) -> PanelType {
    BlockFormat(try found(tensor).type).panelType
  }

  public func withElements(
    _ tensor: ExpectedTensor, _ body: (MatrixElements) throws(ModelError) -> Void
  ) throws(ModelError) {
    let found = try found(tensor)
    defer { found.releasePages() }
    try found.withUnsafeBytes { bytes throws(ModelError) in
      guard let headCount = interleavedHeadCount(tensor.name) else { return try body(found.elements(bytes)) }
      let memory: KernelMemory
      do throws(KernelError) { memory = try KernelMemory(byteCount: bytes.count) } catch {
        throw .kernels(error)
      }
      let rows = UnsafeMutableRawBufferPointer(start: memory.base, count: bytes.count)
      pairHalves(bytes, headCount: headCount, into: rows)
      defer { withExtendedLifetime(memory) {} }
      try body(found.elements(UnsafeRawBufferPointer(rows)))
    }
  }

  private func found(_ tensor: ExpectedTensor) throws(ModelError) -> GGUFTensor {
    guard let name = GGUFTensorNames.name(of: tensor.name), let found = file[name] else {
      throw .tensors(.missing(path: file.path, tensor: tensor.name, expectedShape: tensor.shape))
    }
    guard found.shape == tensor.shape else {
      throw .tensors(
        .wrongShape(path: file.path, tensor: name, found: found.shape, expected: tensor.shape))
    }
    return found
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
  /// i + headSize / 2: row 2i comes to i, row 2i + 1 to i + headSize / 2. Blocks never cross rows.
  private func pairHalves(
    _ source: UnsafeRawBufferPointer, headCount: Int, into out: UnsafeMutableRawBufferPointer
  ) {
    let headSize = configuration.headSize
    let half = headSize / 2
    let rowBytes = source.count / (headCount * headSize)
    for row in 0..<headCount * headSize {
      let inHead = row % headSize
      let from = (row - inHead + inHead % half * 2 + inHead / half) * rowBytes
      out.baseAddress!.advanced(by: row * rowBytes)
        .copyMemory(from: source.baseAddress! + from, byteCount: rowBytes)
    }
  }
}

extension GGUFTensor {
  /// The tensor whose bytes these are.
  fileprivate func elements(_ bytes: UnsafeRawBufferPointer) -> MatrixElements {
    if let type = FloatType(type) { return .floats(bytes, type) }
    return .blocks(bytes, BlockFormat(type))
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
