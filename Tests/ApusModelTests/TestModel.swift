import ApusKernels
import ApusModel
import Foundation
import Testing

/// A small model of `Fixtures`, what its matrices are converted to, and what its keys and values are held in.
struct TestModel: Sendable, CustomTestStringConvertible {
  enum Files: Sendable { case fixture(ReferenceFixture), quantized(String) }

  let files: Files
  /// nil: as the files have them.
  let type: WeightType?
  var kvType = KVType.f32

  var testDescription: String {
    let cache = kvType == .f32 ? "" : ", keys and values in \(kvType.rawValue)"
    switch files {
    case .fixture(let fixture): return "\(fixture.name) in \(type?.rawValue ?? "its own type")\(cache)"
    case .quantized(let name): return name + cache
    }
  }

  /// Each named fixture in each type, of weights and then of keys and values, and a quantized file for each type that
  /// only files have.
  static func all(_ names: [String]) -> [TestModel] {
    names.flatMap { name in
      let files = Files.fixture(try! ReferenceFixture(name))
      return WeightType.allCases.map { TestModel(files: files, type: $0) }
        + KVType.allCases.filter { $0 != .f32 }.map { TestModel(files: files, type: .bf16, kvType: $0) }
    } + ["q4_k_m", "q5_1", "mlx-mixed"].map { TestModel(files: .quantized($0), type: nil) }
  }

  func weights(_ context: KernelContext) throws -> PackedWeights {
    switch files {
    case .fixture(let fixture): try PackedWeights(directory: fixture.directory, type: type, context: context)
    case .quantized(let name): try Self.quantized(name, type: type, context: context)
    }
  }

  /// `Fixtures/quantized` is made and described by `make_quantized.py`.
  static func quantized(_ name: String, type: WeightType? = nil, context: KernelContext) throws
    -> PackedWeights
  {
    let url = ReferenceFixture.folder.appending(path: "quantized/\(name)")
    return name.hasPrefix("mlx")
      ? try PackedWeights(directory: url, type: type, context: context)
      : try PackedWeights(gguf: url.appendingPathExtension("gguf"), type: type, context: context)
  }
}
