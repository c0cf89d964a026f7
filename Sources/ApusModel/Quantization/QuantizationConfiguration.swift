/// How the integers of one matrix are stored: the affine quantization of MLX
/// (https://github.com/ml-explore/mlx, `quantize`).
public struct AffineFormat: Sendable, Equatable {
  /// Neighbouring inputs that share a scale and a minimum: 32, 64 or 128.
  public var groupSize: Int
  /// Of each integer: 4 or 8.
  public var bits: Int

  public init(groupSize: Int, bits: Int) {
    self.groupSize = groupSize
    self.bits = bits
  }
}

/// The entry `quantization` of a `config.json` as mlx-lm writes it. A matrix is quantized where the checkpoint has
/// scales for it; this says in which format.
public struct QuantizationConfiguration: Sendable, Equatable {
  public var format: AffineFormat
  /// Formats of modules, by path, that differ; nil: a module that is not quantized.
  public var modules: [String: AffineFormat?]

  public init(format: AffineFormat, modules: [String: AffineFormat?] = [:]) {
    self.format = format
    self.modules = modules
  }

  /// The format of a module's weight, nil where it is not to be quantized.
  public func format(of module: String) -> AffineFormat? {
    if let own = modules[module] { return own }
    return format
  }
}

/// Names of the tensors of a quantized matrix: `weight` holds its integers, beside it are `scales` and `biases`.
struct QuantizedNames {
  /// The path of the module, which ends before `.weight`.
  let module: String
  let scales: String
  let biases: String

  /// nil for a tensor that is no weight.
  init?(weight name: String) {
    guard name.hasSuffix(".weight") else { return nil }
    module = String(name.dropLast(".weight".count))
    scales = module + ".scales"
    biases = module + ".biases"
  }
}
