import ApusCheckpoint
public import ApusKernels

/// Pseudo-random tensors in bf16, made when asked for: a model of any shape without a file, for measuring speed.
///
/// Projections are uniform in +-sqrt(3 / inputs), so that activations keep their size through the layers; norms
/// are 1 and biases 0. Its text means nothing.
public struct RandomWeights: WeightSource {
  let seed: UInt64

  public init(seed: UInt64 = 0) {
    self.seed = seed
  }

  public func panelType(of tensor: ExpectedTensor) -> PanelType { .bf16 }

  public func withElements(
    _ tensor: ExpectedTensor, _ body: (MatrixElements) throws(ModelError) -> Void
  ) throws(ModelError) {
    let count = tensor.shape.reduce(1, *)
    let values = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: count)
    defer { values.deallocate() }
    if tensor.name.hasSuffix(".bias") {
      values.initialize(repeating: 0)
    } else if tensor.shape.count == 1 {
      values.initialize(repeating: 0x3f80)
    } else {
      fill(values, range: (3 / Float(tensor.shape[1])).squareRoot(), name: tensor.name)
    }
    try body(.floats(UnsafeRawBufferPointer(values), .bf16))
  }

  public func path(of tensor: String) -> String { "random weights" }

  private func fill(_ values: UnsafeMutableBufferPointer<UInt16>, range: Float, name: String) {
    // FNV-1a of the name starts each tensor's own sequence, whatever order tensors are asked for in.
    var state = name.utf8.reduce(0xcbf2_9ce4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } | 1
    for index in values.indices {
      // xorshift64 (Marsaglia, 2003).
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let unit = Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
      values.initializeElement(at: index, to: UInt16(truncatingIfNeeded: (unit * range).bitPattern >> 16))
    }
  }
}
