import ApusKernels
import ApusModel
import Foundation
import Testing

/// A folder with packed weights is the model it was made from.
@Suite struct PackedPanelsTests {
  private let context: KernelContext
  private let folder: URL

  init() throws {
    context = try KernelContext(threadCount: 1)
    folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private var file: URL { folder.appending(path: "model.safetensors") }

  private func write(_ weights: PackedWeights, config: URL) throws {
    var data = Data()
    weights.withSerializedParts { data.append(contentsOf: $0) }
    try data.write(to: file)
    let target = folder.appending(path: "config.json")
    try? FileManager.default.removeItem(at: target)
    try FileManager.default.copyItem(at: config, to: target)
  }

  private func logits(_ weights: PackedWeights) throws -> [[Float]] {
    let session = try TransformerSession(weights, context: context, slotCount: 1, rowsPerStepMax: 16)
    return try session.logits(of: [3, 9, 4, 30, 12, 5, 31], chunks: [3, 1])
  }

  /// In families with biases and without, tied and not, and quantized files.
  static let models: [(name: String, type: WeightType?)] =
    ["qwen2-untied-odd", "qwen3-tied-biases", "llama-biases"].flatMap { name in
      WeightType.allCases.map { (name, $0) }
    } + ["mlx-mixed", "mlx-8-128", "mlx-4-64"].map { ("quantized/\($0)", nil) }

  @Test(arguments: models)
  func givesTheSameBits(name: String, type: WeightType?) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = ReferenceFixture.folder.appending(path: name)
    let original = try PackedWeights(directory: source, type: type, context: context)
    try write(original, config: source.appending(path: "config.json"))
    let packed = try PackedWeights(directory: folder, context: context)
    #expect(packed.types == original.types && packed.byteCount == original.byteCount)
    let (found, expected) = (try logits(packed), try logits(original))
    #expect(found.count == 7 && zip(found, expected).allSatisfy { $0.sameBits(as: $1) })
    // Written again it is the same file.
    var again = Data()
    packed.withSerializedParts { again.append(contentsOf: $0) }
    #expect(try again == Data(contentsOf: file))
  }

  private func fixture() throws -> (weights: PackedWeights, data: Data, headerCount: Int) {
    let fixture = try ReferenceFixture("qwen2-tied")
    let weights = try PackedWeights(directory: fixture.directory, type: .int8, context: context)
    try write(weights, config: fixture.directory.appending(path: "config.json"))
    let data = try Data(contentsOf: file)
    return (weights, data, Int(data[0]) + Int(data[1]) << 8 + Int(data[2]) << 16)
  }

  /// Data that does not begin at a multiple of 64 cannot be used in place.
  @Test func weightsAtAnyAlignmentAreCopied() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (weights, data, headerCount) = try fixture()
    #expect((8 + headerCount) % 4096 == 0)
    let longer = headerCount + 1
    try
      (Data([UInt8(longer & 255), UInt8(longer >> 8), 0, 0, 0, 0, 0, 0]) + data[8..<8 + headerCount] + [0x20]
      + data[(8 + headerCount)...]).write(to: file)
    let moved = try PackedWeights(directory: folder, context: context)
    #expect(zip(try logits(moved), try logits(weights)).allSatisfy { $0.sameBits(as: $1) })
  }

  @Test func whatIsNotThePackedModelIsRefusedByName() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (_, data, headerCount) = try fixture()
    let header = String(decoding: data[8..<8 + headerCount], as: UTF8.self)
    func refusal(_ header: String, _ body: Data, type: WeightType? = nil) throws -> String {
      let bytes = Array(header.utf8)
      let length = withUnsafeBytes(of: UInt64(bytes.count).littleEndian, Array.init)
      try (Data(length + bytes) + body).write(to: file)
      let error = #expect(throws: ModelError.self) {
        try PackedWeights(directory: folder, type: type, context: context)
      }
      return error.map { "\($0)" } ?? ""
    }
    let body = data[(8 + headerCount)...]
    for (text, replacement, expected) in [
      ("\"version\":\"1\"", "\"version\":\"2\"", "__metadata__.version"),
      ("self_attn.k_proj\":\"int8\"", "self_attn.k_proj\":\"int9\"", "self_attn.k_proj is \"int9\""),
      ("0.mlp.down_proj\":\"int8\"", "0.mlp.down_proj\":\"f32\"", "0.mlp.down_proj.panels has shape"),
      ("\"model.norm\"", "\"model.form\"", "model.norm is missing"),
      ("\"dtype\":\"U8\"", "\"dtype\":\"I8\"", "has dtype I8; expected U8"),
    ] {
      let message = try refusal(header.replacing(text, with: replacement), Data(body))
      #expect(message.contains(expected), "\(replacement): \(message)")
    }
    #expect(try refusal(header, Data(body), type: .int4).contains("is packed as int8"))
    #expect(try refusal(header, Data(body.dropLast(64))).contains("model.safetensors"))
    // The last piece is the final norm.
    var infinite = Data(body)
    infinite.replaceSubrange(infinite.endIndex - 128..<infinite.endIndex - 124, with: [0, 0, 0x80, 0x7F])
    #expect(try refusal(header, infinite).contains("\"model.norm\" is not finite"))
  }
}
