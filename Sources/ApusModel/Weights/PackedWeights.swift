import ApusCheckpoint
public import ApusKernels

/// A model's weights, packed for the micro-kernels: read-only once made, shared by every session.
public final class PackedWeights: Sendable {
  public let configuration: ModelConfiguration
  /// Types the matrices are held in. Norms and biases are f32.
  public let types: Set<PanelType>
  let layout: WeightLayout
  let memory: KernelMemory
  /// What each module's weights are held in.
  let moduleTypes: [String: PanelType]

  /// Bytes of the packed weights.
  public var byteCount: Int { layout.byteCount }

  /// Bytes one decode step streams: every matrix once, the output head among them, no second copy of a tied
  /// embedding.
  public var bytesPerStep: Int {
    configuration.tiedEmbeddings
      ? layout.byteCount : layout.byteCount - (layout.layers.first?.inputNorm.byteOffset ?? 0)
  }

  /// The types as text: "bf16", "int4-affine, int8-halves".
  public var typeNames: String {
    PanelType.allCases.filter(types.contains).map(\.rawValue).joined(separator: ", ")
  }

  /// Packs every tensor of `source`.
  ///
  /// - Parameters:
  ///   - type: what to convert the matrices to; nil: each is held as the source has it.
  ///   - progress: called with the share done, in 0...1, after each layer.
  /// - Throws: `ModelError` naming the tensor that is missing or not finite.
  public init(
    _ source: some WeightSource, configuration: ModelConfiguration, type: WeightType?, context: KernelContext,
    progress: ((Double) -> Void)? = nil
  ) throws(ModelError) {
    self.configuration = configuration
    moduleTypes = try Self.moduleTypes(source, configuration, type)
    let layout = WeightLayout(configuration, types: moduleTypes)
    self.layout = layout
    types = Set(layout.matrices.map(\.type))
    do { memory = try KernelMemory(byteCount: layout.byteCount) } catch { throw .kernels(error) }
    let packer = Packer(source: source, memory: memory, context: context)
    let c = configuration
    try packer.pack(
      "model.embed_tokens.weight", [c.vocabularySize, c.hiddenSize], into: layout.embedding, at: .start)
    for (index, layer) in layout.layers.enumerated() {
      try packer.pack(layer, prefix: "model.layers.\(index).", c)
      progress?(Double(index + 1) / Double(c.layerCount + 1))
    }
    try packer.copy("model.norm.weight", into: layout.finalNorm)
    if let head = layout.head {
      try packer.pack("lm_head.weight", [c.vocabularySize, c.hiddenSize], into: head, at: .start)
    }
    progress?(1)
  }

  /// Weights that are packed already: `memory` holds what `layout` says, and is never written.
  init(
    configuration: ModelConfiguration, moduleTypes: [String: PanelType], layout: WeightLayout,
    memory: KernelMemory
  ) {
    self.configuration = configuration
    self.moduleTypes = moduleTypes
    self.layout = layout
    self.memory = memory
    types = Set(layout.matrices.map(\.type))
  }

  private static func moduleTypes(
    _ source: some WeightSource, _ configuration: ModelConfiguration, _ type: WeightType?
  ) throws(ModelError) -> [String: PanelType] {
    var types: [String: PanelType] = [:]
    for tensor in configuration.expectedTensors where tensor.shape.count == 2 {
      guard let names = QuantizedNames(weight: tensor.name) else { continue }
      types[names.module] = if let type { PanelType(type) } else { try source.panelType(of: tensor) }
    }
    return types
  }

  func matrix(_ place: WeightLayout.Matrix) -> PackedMatrix {
    PackedMatrix(
      type: place.type, inputCount: place.inputCount, outputCount: place.outputCount, memory: memory,
      byteOffset: place.byteOffset)
  }

  func vector(_ place: WeightLayout.Vector) -> UnsafePointer<Float> {
    UnsafePointer(memory.pointer(to: Float.self, byteOffset: place.byteOffset))
  }
}

extension PackedMatrix.Placement {
  fileprivate static var start: Self { .consecutive(firstOutput: 0) }
}

/// Moves tensors from their source to their places.
private struct Packer<Source: WeightSource> {
  let source: Source
  let memory: KernelMemory
  let context: KernelContext

  func pack(_ layer: WeightLayout.Layer, prefix: String, _ c: ModelConfiguration) throws(ModelError) {
    let widths = ProjectionWidths(c)
    let query = c.headCount * c.headSize
    let kv = c.kvHeadCount * c.headSize
    try copy(prefix + "input_layernorm.weight", into: layer.inputNorm)
    let parts = [
      ("q", query, 0), ("k", kv, widths.keyOffset), ("v", kv, widths.valueOffset),
    ]
    for (name, count, offset) in parts {
      let projection = prefix + "self_attn.\(name)_proj"
      guard let part = layer.qkv.first(where: { $0.contains(column: offset) }) else { continue }
      try pack(
        projection + ".weight", [count, c.hiddenSize], into: part.matrix,
        at: .consecutive(firstOutput: offset - part.firstColumn))
      if let bias = layer.qkvBias { try copy(projection + ".bias", count: count, into: bias, at: offset) }
    }
    if let norm = layer.queryNorm { try copy(prefix + "self_attn.q_norm.weight", into: norm) }
    if let norm = layer.keyNorm { try copy(prefix + "self_attn.k_norm.weight", into: norm) }
    try pack(prefix + "self_attn.o_proj.weight", [c.hiddenSize, query], into: layer.output, at: .start)
    if let bias = layer.outputBias { try copy(prefix + "self_attn.o_proj.bias", into: bias) }
    try copy(prefix + "post_attention_layernorm.weight", into: layer.postNorm)
    try packMLP(layer, prefix: prefix + "mlp.", c)
  }

  private func packMLP(
    _ layer: WeightLayout.Layer, prefix: String, _ c: ModelConfiguration
  ) throws(ModelError) {
    let shape = [c.intermediateSize, c.hiddenSize]
    try pack(prefix + "gate_proj.weight", shape, into: layer.gateUp, at: .gate)
    try pack(prefix + "up_proj.weight", shape, into: layer.gateUp, at: .up)
    try pack(prefix + "down_proj.weight", [c.hiddenSize, c.intermediateSize], into: layer.down, at: .start)
    if let bias = layer.gateUpBias {
      try copyInterleaved(prefix + "gate_proj.bias", count: c.intermediateSize, into: bias, panel: 0)
      try copyInterleaved(prefix + "up_proj.bias", count: c.intermediateSize, into: bias, panel: 1)
    }
    if let bias = layer.downBias { try copy(prefix + "down_proj.bias", into: bias) }
  }

  func pack(
    _ name: String, _ shape: [Int], into place: WeightLayout.Matrix, at placement: PackedMatrix.Placement
  ) throws(ModelError) {
    let tensor = ExpectedTensor(name: name, shape: shape)
    if place.type.isInteger, try source.panelType(of: tensor) == place.type {
      try source.withElements(tensor) { elements throws(ModelError) in
        try pack(elements, tensor, into: place, at: placement)
      }
    } else {
      try source.withFloats(tensor) { bytes, type throws(ModelError) in
        try pack(.floats(bytes, type), tensor, into: place, at: placement)
      }
    }
  }

  private func pack(
    _ elements: MatrixElements, _ tensor: ExpectedTensor, into place: WeightLayout.Matrix,
    at placement: PackedMatrix.Placement
  ) throws(ModelError) {
    let matrix = PackedMatrix(
      type: place.type, inputCount: place.inputCount, outputCount: place.outputCount, memory: memory,
      byteOffset: place.byteOffset)
    let path = source.path(of: tensor.name)
    do throws(KernelError) {
      try matrix.pack(elements, outputs: tensor.shape[0], at: placement, context: context)
    } catch {
      switch error {
      case .notFinite(let row, let column):
        throw .notFinite(path: path, tensor: tensor.name, row: row, column: column, heldAs: place.type)
      case .inexactScale(let row, let column):
        throw .inexactScale(path: path, tensor: tensor.name, row: row, column: column)
      default: throw .kernels(error)
      }
    }
  }

  func copy(_ name: String, into place: WeightLayout.Vector) throws(ModelError) {
    try copy(name, count: place.count, into: place, at: 0)
  }

  private func copy(
    _ name: String, count: Int, into place: WeightLayout.Vector, at offset: Int
  ) throws(ModelError) {
    try forEachElement(name, count: count, into: place) { offset + $0 }
  }

  /// Element i goes to panel 2 * (i / 16) + `panel`, as the columns of gate and up do.
  private func copyInterleaved(
    _ name: String, count: Int, into place: WeightLayout.Vector, panel: Int
  ) throws(ModelError) {
    let columns = PackedMatrix.panelColumns
    try forEachElement(name, count: count, into: place) {
      (2 * ($0 / columns) + panel) * columns + $0 % columns
    }
  }

  private func forEachElement(
    _ name: String, count: Int, into place: WeightLayout.Vector, _ index: (Int) -> Int
  ) throws(ModelError) {
    let out = memory.pointer(to: Float.self, byteOffset: place.byteOffset)
    try source.withFloats(ExpectedTensor(name: name, shape: [count])) { bytes, type throws(ModelError) in
      for element in 0..<count {
        let value = type.load(bytes, element)
        guard value.isFinite else {
          throw .notFinite(
            path: source.path(of: name), tensor: name, row: 0, column: element, heldAs: .f32)
        }
        out[index(element)] = value
      }
    }
  }
}

extension FloatType {
  /// Element `index` of little-endian `bytes` at any alignment, as a float.
  fileprivate func load(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    switch self {
    case .f32:
      return Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
    case .bf16:
      let half = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
      return Float(bitPattern: UInt32(half) << 16)
    case .f16:
      return widened(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    }
  }
}

/// IEEE 754 binary16 as binary32; `Float16` is missing on some of Swift's platforms.
private func widened(_ half: UInt16) -> Float {
  let magnitude = UInt32(half & 0x7fff)
  let sign = UInt32(half & 0x8000) << 16
  if magnitude >= 0x7c00 { return Float(bitPattern: sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13) }
  // Shifted into place the exponent is 112 too small; multiplying mends it, denormals included.
  let scaled = Float(bitPattern: magnitude << 13) * Float(sign: .plus, exponent: 112, significand: 1)
  return Float(bitPattern: scaled.bitPattern | sign)
}
