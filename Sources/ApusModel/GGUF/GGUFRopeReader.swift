import ApusCheckpoint
import ApusKernels
import Foundation

/// Reads the rotary embedding's parameters: base and linear scaling from metadata, Llama 3.1's scaling from the
/// divisors that writers of the format make of it.
struct GGUFRopeReader {
  let reader: GGUFConfigurationReader
  let headSize: Int

  init(_ reader: GGUFConfigurationReader, headSize: Int) {
    self.reader = reader
    self.headSize = headSize
  }

  func rope() throws(ConfigurationError) -> RopeConfiguration {
    let key = reader.prefix + "rope.freq_base"
    let theta = try reader.number(key) ?? 10000
    guard Float(theta).isFinite, Float(theta) > 0 else {
      throw .file(reader.metadata.invalid(key, expected: "a positive number that a float can hold"))
    }
    let scaling = try linear()
    guard let divisors = try divisors() else { return RopeConfiguration(theta: theta, scaling: scaling) }
    guard scaling == .none else {
      throw .contradiction(
        path: reader.file.path, field: GGUFTensorNames.ropeFactors, found: "there",
        other: "\(reader.prefix)rope.scaling.factor")
    }
    guard divisors.contains(where: { $0 != 1 }) else { return RopeConfiguration(theta: theta) }
    return RopeConfiguration(theta: theta, scaling: try llama3(divisors, theta: theta))
  }

  /// `rope.scaling.factor`, `rope.scale_linear` in old files; without a type it is linear.
  private func linear() throws(ConfigurationError) -> RopeScaling {
    let prefix = reader.prefix
    let type = try field { () throws(CheckpointError) in
      try reader.metadata.stringIfPresent(prefix + "rope.scaling.type")
    }
    switch type {
    case "none": return .none
    case "linear", nil: break
    default: throw reader.unsupported(prefix + "rope.scaling.type", "none and linear")
    }
    for key in [prefix + "rope.scaling.factor", prefix + "rope.scale_linear"] {
      // 0 stands for no scaling.
      guard let factor = try reader.number(key), factor != 0, factor != 1 else { continue }
      guard factor > 1, Float(factor).isFinite else {
        throw .file(reader.metadata.invalid(key, expected: "a number of at least 1"))
      }
      return .linear(factor: factor)
    }
    return .none
  }

  /// [headSize / 2], what each frequency is to be divided by.
  private func divisors() throws(ConfigurationError) -> [Float]? {
    guard let tensor = reader.file[GGUFTensorNames.ropeFactors] else { return nil }
    guard tensor.type == .f32, tensor.shape == [headSize / 2] else {
      throw .file(
        .invalidTensor(
          path: reader.file.path, tensor: tensor.name, found: "shape \(tensor.shape) of \(tensor.type.name)",
          expected: "[\(headSize / 2)] of F32"))
    }
    var divisors = [Float](repeating: 0, count: tensor.elementCount)
    divisors.withUnsafeMutableBufferPointer { out in
      tensor.withUnsafeBytes { BlockFormat.f32.dequantize($0, into: out) }
    }
    return divisors
  }

  /// The parameters that give these divisors. Only quotients of the four matter, and every published model has
  /// frequency factors 1 and 4; the largest divisor is the factor.
  private func llama3(_ divisors: [Float], theta: Double) throws(ConfigurationError) -> RopeScaling {
    let factor = Double(divisors.max() ?? 0)
    let key = reader.prefix + "rope.scaling.original_context_length"
    let named = try field { () throws(CheckpointError) in
      try reader.metadata.integerIfPresent(key, in: 1...SizeMax.context)
    }
    for length in [named, 8192].compactMap(\.self) where factor >= 1 && factor.isFinite {
      let expected = Self.llama3Divisors(factor: factor, length: length, theta: theta, headSize: headSize)
      let agrees = zip(divisors, expected).allSatisfy { abs(Double($0) - $1) <= 1e-4 * $1 }
      guard agrees else { continue }
      return .llama3(
        factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: length)
    }
    throw .unsupported(
      path: reader.file.path, field: GGUFTensorNames.ropeFactors,
      found: "divisors up to \(factor)", supported: "those of Llama 3.1's scaling")
  }

  /// Llama 3.1's rule, see `RopeScaling.llama3`, with frequency factors 1 and 4.
  private static func llama3Divisors(
    factor: Double, length: Int, theta: Double, headSize: Int
  ) -> [Double] {
    (0..<headSize / 2).map { pair in
      let exponent = 2 * Double(pair) / Double(headSize)
      let wavelengths = Double(length) / (2 * .pi * pow(theta, exponent))
      let share = min(max((wavelengths - 1) / 3, 0), 1)
      return 1 / ((1 - share) / factor + share)
    }
  }
}
