import CKernels

/// Type of the numbers a matrix is packed from.
public enum FloatType: String, Sendable, CaseIterable {
  case f32, f16, bf16

  public var byteCount: Int { self == .f32 ? 4 : 2 }

  var cValue: ck_weight_type { WeightType(self).cValue }
}

/// Type that packed weights are held in.
public enum WeightType: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// Eight bits, or four, times a binary16 scale for each 32 inputs of an output: 8.5 and 4.5 bits a weight.
  case int8, int4

  public init(_ type: FloatType) {
    self =
      switch type {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
  }

  var cValue: ck_weight_type {
    switch self {
    case .f32: CK_WEIGHT_F32
    case .f16: CK_WEIGHT_F16
    case .bf16: CK_WEIGHT_BF16
    case .int8: CK_WEIGHT_I8
    case .int4: CK_WEIGHT_I4
    }
  }

  /// What a product's activations are rounded to on `context`.
  func activation(on context: KernelContext) -> ck_activation {
    switch self {
    case .f32, .f16: CK_ACTIVATION_F32
    case .bf16: context.roundsActivationsToBF16 ? CK_ACTIVATION_BF16 : CK_ACTIVATION_F32
    case .int8, .int4: context.isPrecise ? CK_ACTIVATION_F32 : CK_ACTIVATION_I8
    }
  }
}

/// The weights of a linear layer, `[outputs, inputs]`, packed into panels for the micro-kernels.
///
/// Several matrices with the same inputs may share one packed matrix, each from a panel of its own on: one product
/// then serves them all (query, key and value; gate and up).
public struct PackedMatrix: Sendable {
  public let type: WeightType
  public let inputCount: Int
  /// Outputs, padding of each part's last panel included.
  public let outputCount: Int
  let memory: KernelMemory
  let byteOffset: Int

  /// Outputs in a panel.
  public static let panelColumns = Int(CK_PANEL_COLUMNS)

  /// `count` rounded up to whole panels.
  public static func padded(_ count: Int) -> Int {
    (count + panelColumns - 1) / panelColumns * panelColumns
  }

  /// Bytes that a matrix of `outputCount` (whole panels) takes.
  public static func byteCount(type: WeightType, inputCount: Int, outputCount: Int) -> Int {
    padded(outputCount) / panelColumns * ck_panel_bytes(type.cValue, Int32(inputCount))
  }

  /// A matrix of zeros at `byteOffset` of `memory`; fill it with `pack`.
  public init(type: WeightType, inputCount: Int, outputCount: Int, memory: KernelMemory, byteOffset: Int) {
    precondition(inputCount > 0 && outputCount > 0 && byteOffset % 64 == 0)
    precondition(
      byteOffset + Self.byteCount(type: type, inputCount: inputCount, outputCount: outputCount)
        <= memory.byteCount)
    self.type = type
    self.inputCount = inputCount
    self.outputCount = outputCount
    self.memory = memory
    self.byteOffset = byteOffset
  }

  var panels: UnsafeMutableRawPointer { memory.base + byteOffset }

  /// How the panels of one source lie among those of others.
  public enum Placement: Sendable {
    /// Consecutive panels from output `firstOutput`, a multiple of 16, on.
    case consecutive(firstOutput: Int)
    /// Every second panel: gate panels even, up panels odd.
    case gate, up
  }

  /// Packs `outputs` rows of `source`, `[outputs, inputCount]` of `sourceType` at any alignment.
  /// - Throws: `KernelError.notFinite` for the first weight that is infinite or NaN, or would become so (in the
  ///   integer types the first of a group whose scale would).
  public func pack(
    _ source: UnsafeRawBufferPointer, sourceType: FloatType, outputs: Int, at placement: Placement,
    context: KernelContext
  ) throws(KernelError) {
    precondition(source.count == outputs * inputCount * sourceType.byteCount)
    let (first, step): (Int, Int) =
      switch placement {
      case .consecutive(let firstOutput): (firstOutput / Self.panelColumns, 1)
      case .gate: (0, 2)
      case .up: (1, 2)
      }
    let lastPanel = first + (Self.padded(outputs) / Self.panelColumns - 1) * step
    precondition(lastPanel < Self.padded(outputCount) / Self.panelColumns)
    var args = ck_pack_args(
      source: source.baseAddress!, source_type: sourceType.cValue, num_inputs: Int32(inputCount),
      num_outputs: Int32(outputs), panels: panels, type: type.cValue, first_panel: Int32(first),
      panel_step: Int32(step))
    let bad = ck_pack_linear(context.pointer, &args)
    guard bad < 0 else { throw .notFinite(row: Int(bad) / inputCount, column: Int(bad) % inputCount) }
  }

  /// Gathers rows as floats: `out[t, k] = W[indexes[t], k]`, out `[rows, stride]`.
  public func gather(
    _ indexes: UnsafeBufferPointer<Int32>, into out: RowBuffer, context: KernelContext
  ) {
    guard let base = indexes.baseAddress, !indexes.isEmpty else { return }
    var args = ck_unpack_args(
      panels: panels, type: type.cValue, num_inputs: Int32(inputCount), num_rows: Int32(indexes.count),
      index: base, out: out.base, out_stride: out.stride)
    ck_embedding_gather(context.pointer, &args)
  }
}
