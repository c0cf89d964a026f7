import ApusKernels
import ApusModel
import Foundation
import Testing

/// Quantized files against an independent widening by NumPy and a float32 forward pass by Hugging Face transformers.
@Suite struct QuantizedModelTests {
  static let types: [String: Set<PanelType>] = [
    "q8_0": [.int8], "q4_0": [.int4], "q4_1": [.int4Affine], "q5_0": [.int8], "q5_1": [.int8Affine],
    "q4_k": [.int4Affine], "q5_k": [.int8Affine], "q6_k": [.int8Halves],
    "q4_k_m": [.int4Affine, .int8Halves],
    // Scales of 24 bits are the one thing that panels of integers do not hold.
    "mlx-4-32": [.f32], "mlx-8-32": [.f32], "mlx-4-64": [.int4Affine], "mlx-8-64": [.int8Affine],
    "mlx-4-128": [.int4Affine], "mlx-8-128": [.int8Affine], "mlx-mixed": [.f32, .int4Affine, .int8Affine],
  ]

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let instructionSet: InstructionSet
    var testDescription: String { "\(name) on \(instructionSet.rawValue)" }

    static let all = types.keys.sorted().flatMap { name in
      InstructionSet.runnable.map { Case(name: name, instructionSet: $0) }
    }
  }

  private struct Reference: Decodable {
    let prompt: [Int32]
    let shape: [Int]
  }

  /// The squared error of the logits over their squares.
  private func error(_ test: Case, type: WeightType? = nil, precise: Bool) throws -> Double {
    let base = ReferenceFixture.folder.appending(path: "quantized/\(test.name)")
    let data = try Data(contentsOf: base.appendingPathExtension("json"))
    let reference = try JSONDecoder().decode(Reference.self, from: data)
    let expected = try Data(contentsOf: base.appendingPathExtension("logits")).withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
    let context = try KernelContext(instructionSet: test.instructionSet, threadCount: 1, precise: precise)
    let weights = try TestModel.quantized(test.name, type: type, context: context)
    if type == nil { #expect(weights.types == Self.types[test.name]) }
    let session = try TransformerSession(weights, context: context, slotCount: 1, rowsPerStepMax: 16)
    let found = try session.logits(of: reference.prompt, chunks: [5, 1]).flatMap { $0 }
    try #require(found.count == expected.count && expected.count == reference.shape.reduce(1, *))
    let squares = zip(found, expected).map { pow(Double($0) - Double($1), 2) }
    return squares.reduce(0, +) / expected.reduce(0) { $0 + Double($1) * Double($1) }
  }

  @Test(arguments: Case.all)
  func logitsAreThoseOfTheWidenedWeights(_ test: Case) throws {
    #expect(try error(test, precise: true) < 1e-6)
    #expect(try error(test, type: .f32, precise: true) < 1e-6)
  }

  /// Activations of eight bits are all that is lost.
  @Test(arguments: Case.all)
  func roundedActivationsMoveLogitsByLittle(_ test: Case) throws {
    #expect(try error(test, precise: false) < 5e-4)
  }

  @Test func formatsThatAreNotAffineOrNotTheFilesAreRefusedByName() throws {
    let context = try KernelContext(threadCount: 1)
    let folder = try temporaryCopy(of: "mlx-4-64")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "config.json")
    let original = try String(contentsOf: url, encoding: .utf8)
    for (text, replacement, expected) in [
      ("\"group_size\": 64", "\"group_size\": 48", "quantization.group_size 48"),
      ("\"group_size\": 64", "\"group_size\": 32", "model.embed_tokens.scales has shape [48, 2]"),
      ("\"bits\": 4", "\"bits\": 3", "quantization.bits 3"),
      ("\"bits\": 4", "\"bits\": 8", "model.embed_tokens.weight has shape [48, 16]"),
      ("\"bits\": 4", "\"bits\": 4, \"mode\": \"mxfp4\"", "quantization.mode \"mxfp4\""),
      ("\"bits\": 4", "\"bits\": 4, \"lm_head\": 1", "quantization.lm_head"),
      ("\"bits\": 4", "\"bits\": 4, \"model.embed_tokens\": false", "model.embed_tokens.weight has shape"),
      ("\"quantization\"", "\"other\"", "quantization_config"),
      (
        "\"quantization_config\": {", "\"quantization_config\": {\"quant_method\": \"gptq\",",
        "quantization_config"
      ),
    ] {
      try original.replacing(text, with: replacement).write(to: url, atomically: true, encoding: .utf8)
      let error = #expect(throws: ModelError.self) { try PackedWeights(directory: folder, context: context) }
      #expect(
        error.map { "\($0)".contains(expected) } == true, "\(replacement): \(String(describing: error))")
    }
  }

  /// Of the second group of row 5 of a matrix: infinite; and of 2^-126, beside one of ordinary size.
  @Test func aScaleThatCannotBeHeldIsNamedByItsPlace() throws {
    let context = try KernelContext(threadCount: 1)
    let folder = try temporaryCopy(of: "mlx-4-64")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "model.safetensors")
    let tensor = "model.layers.0.self_attn.o_proj"
    let original = try Data(contentsOf: url)
    let headerSize = Int(
      original.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * $1.offset) })
    let header = try JSONDecoder().decode([String: Entry].self, from: original[8..<8 + headerSize])
    let offsets = try #require(header["\(tensor).scales"]?.data_offsets)
    let place = 8 + headerSize + offsets[0] + 2 * (5 * 2 + 1)
    for (bits, expected) in [
      (0x7F80 as UInt16, "\(tensor).weight: element [5, 64] is not finite"),
      (0x0080, "\(tensor).weight: the group of element [5, 64] has a scale"),
    ] {
      var data = original
      (data[place], data[place + 1]) = (UInt8(bits & 255), UInt8(bits >> 8))
      try data.write(to: url)
      let error = #expect(throws: ModelError.self) { try PackedWeights(directory: folder, context: context) }
      #expect(error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
    }
  }

  private struct Entry: Decodable {
    let data_offsets: [Int]?
  }

  private func temporaryCopy(of name: String) throws -> URL {
    let copy = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.copyItem(
      at: ReferenceFixture.folder.appending(path: "quantized/\(name)"), to: copy)
    return copy
  }
}
