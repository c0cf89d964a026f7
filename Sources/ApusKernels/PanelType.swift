import CKernels

/// Type of the numbers a matrix is packed from.
public enum FloatType: String, Sendable, CaseIterable {
  case f32, f16, bf16

  public var byteCount: Int { self == .f32 ? 4 : 2 }

  var cValue: ck_weight_type { PanelType(self).cValue }
}

/// Type that weights can be converted to.
public enum WeightType: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// Eight bits, or four, times a binary16 scale for each 32 inputs of an output: 8.5 and 4.5 bits a weight.
  case int8, int4
}

/// Type that packed weights are held in. `ck_linear.h` has the layouts.
public enum PanelType: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// As the weight types of these names.
  case int8, int4
  /// What quantized files hold beside these. A scale and a minimum for each 32 inputs of an output: 9.25 and 5.25 bits
  /// a weight.
  case int8Affine = "int8-affine"
  case int4Affine = "int4-affine"
  /// A scale for each 16 inputs of an output: 9.25 bits a weight.
  case int8Halves = "int8-halves"

  public init(_ type: WeightType) {
    self =
      switch type {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      case .int8: .int8
      case .int4: .int4
      }
  }

  public init(_ type: FloatType) {
    self =
      switch type {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
  }

  init(_ type: ck_weight_type) {
    self = Self.allCases.first { $0.cValue == type }!
  }

  /// Whether the numbers are small integers with scales.
  public var isInteger: Bool {
    switch self {
    case .f32, .f16, .bf16: false
    case .int8, .int4, .int8Affine, .int4Affine, .int8Halves: true
    }
  }

  /// Whether floats are never converted to it.
  public var isFromFilesOnly: Bool { isInteger && self != .int8 && self != .int4 }

  var cValue: ck_weight_type {
    switch self {
    case .f32: CK_WEIGHT_F32
    case .f16: CK_WEIGHT_F16
    case .bf16: CK_WEIGHT_BF16
    case .int8: CK_WEIGHT_I8
    case .int4: CK_WEIGHT_I4
    case .int8Affine: CK_WEIGHT_I8A
    case .int4Affine: CK_WEIGHT_I4A
    case .int8Halves: CK_WEIGHT_I8H
    }
  }

  /// What a product's activations are rounded to on `context`.
  func activation(on context: KernelContext) -> ck_activation {
    if isInteger { return context.isPrecise ? CK_ACTIVATION_F32 : CK_ACTIVATION_I8 }
    return self == .bf16 && context.roundsActivationsToBF16 ? CK_ACTIVATION_BF16 : CK_ACTIVATION_F32
  }
}
