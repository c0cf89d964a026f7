import ApusCheckpoint
import Foundation
import TestSupport
import Testing

/// `values.gguf` as the format's own writer made it.
@Suite struct GGUFTests {
  static let values = Bundle.module.resourceURL!.appending(path: "Fixtures/values.gguf")
  let folder = try! TemporaryFolder()

  @Test func readsEveryTypeOfValue() throws {
    let metadata = try GGUFFile(Self.values).metadata
    #expect(metadata["value.uint8"] == .unsigned(255))
    #expect(metadata["value.int8"] == .signed(-128))
    #expect(metadata["value.uint16"] == .unsigned(65535))
    #expect(metadata["value.int16"] == .signed(-32768))
    #expect(metadata["value.uint32"] == .unsigned(1 << 32 - 1))
    #expect(metadata["value.int32"] == .signed(-(1 << 31)))
    #expect(metadata["value.uint64"] == .unsigned(.max))
    #expect(metadata["value.int64"] == .signed(.min))
    #expect(metadata["value.float32"] == .float(0.1))
    #expect(metadata["value.float64"] == .double(0.1))
    #expect(metadata["value.bool"] == .boolean(true))
    #expect(metadata["value.string"] == .string("Größe 🐦"))
    #expect(metadata["array.strings"] == .array([.string(""), .string("▁the"), .string("<0x00>")]))
    #expect(metadata["array.floats"] == .array([.float(0), .float(-1.5), .float(1e30)]))
    #expect(metadata["array.ints"] == .array([.signed(3), .signed(-1), .signed(7)]))
    #expect(metadata["array.bools"] == .array([.boolean(true), .boolean(false)]))
    let nested: [[Int64]] = [[1, 2], [3], [4, 5, 6]]
    #expect(metadata["array.nested"] == .array(nested.map { .array($0.map { .signed($0) }) }))
    #expect(metadata.keys.first == "general.architecture")
    #expect(metadata.keys.count == 19)
    #expect(metadata["value"] == nil && !metadata.has("value"))
  }

  @Test func givesShapesOutermostFirstAndBytesOfEachTensor() throws {
    let file = try GGUFFile(Self.values)
    #expect(file.version == 3 && file.alignment == 64)
    #expect(file.tensors.map(\.name) == ["token_embd.weight", "norm", "cube"])
    let embedding = try #require(file["token_embd.weight"])
    #expect(embedding.type == .f32 && embedding.shape == [3, 4] && embedding.elementCount == 12)
    let floats = embedding.withUnsafeBytes { bytes in
      (0..<12).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
    #expect(floats == (0..<12).map { Float($0) })
    let norm = try #require(file["norm"])
    #expect(norm.type == .f16 && norm.shape == [5] && norm.byteCount == 10)
    let cube = try #require(file["cube"])
    #expect(cube.type == .q8Zero && cube.shape == [2, 3, 64] && cube.elementCount == 384)
    #expect(cube.withUnsafeBytes { Array($0) } == (0..<408).map { UInt8(truncatingIfNeeded: $0) })
    #expect(file.byteCount == 48 + 10 + 408)
    #expect(file["missing"] == nil)
    try file.requireUnchanged()
  }

  @Test func readsVersion2() throws {
    var bytes = [UInt8](try Data(contentsOf: Self.values))
    bytes[4] = 2
    let file = try GGUFFile(folder.write("two.gguf", bytes))
    #expect(file.version == 2 && file.tensors.count == 3)
  }

  @Test func tensorsOutliveTheFile() throws {
    let norm = try #require(try GGUFFile(Self.values)["norm"])
    #expect(norm.withUnsafeBytes { $0.count } == 10)
  }

  @Test func readsAFileWithoutTensorsWhoseHeaderEndsIt() throws {
    let bytes = GGUFBytes(pairs: [.string("general.architecture", "llama")]).bytes
    let file = try GGUFFile(folder.write("vocabulary.gguf", bytes))
    #expect(file.tensors.isEmpty && file.byteCount == 0 && file.alignment == 32)
  }

  @Test func allowsGapsAndAnyOrderOfData() throws {
    let bytes = GGUFBytes(
      tensors: [.init(name: "late", sizes: [4], offset: 96), .init(name: "early", sizes: [8], offset: 32)],
      dataByteCount: 112
    ).bytes
    let file = try GGUFFile(folder.write("gaps.gguf", bytes))
    #expect(file.tensors.map(\.name) == ["late", "early"])
    #expect(file["late"]?.withUnsafeBytes { $0[0] } == 96)
    #expect(file["early"]?.withUnsafeBytes { $0[0] } == 32)
  }

  @Test func gettersCheckTypesAndRanges() throws {
    let metadata = try GGUFFile(Self.values).metadata
    #expect(try metadata.integer("value.int8", in: -200...0) == -128)
    #expect(try metadata.integerIfPresent("value", in: 0...1) == nil)
    #expect(try metadata.numberIfPresent("value.float64") == 0.1)
    #expect(try metadata.numberIfPresent("value.uint16") == 65535)
    #expect(try metadata.booleanIfPresent("value.bool") == true)
    #expect(try metadata.string("general.architecture") == "llama")
    #expect(try metadata.stringsIfPresent("array.strings") == ["", "▁the", "<0x00>"])
    let path = Self.values.path
    func refused(_ key: String, _ found: String, _ expected: String) -> CheckpointError {
      .invalidField(path: path, field: key, found: found, expected: expected)
    }
    #expect(throws: refused("value.uint64", "\(UInt64.max)", "an integer from 0 to 9")) {
      try metadata.integer("value.uint64", in: 0...9)
    }
    #expect(throws: refused("value.bool", "true", "an integer from 0 to 9")) {
      try metadata.integer("value.bool", in: 0...9)
    }
    #expect(throws: refused("array.ints[0]", "3", "a string")) {
      try metadata.stringsIfPresent("array.ints")
    }
    #expect(throws: refused("value.string", "\"Größe 🐦\"", "true or false")) {
      try metadata.booleanIfPresent("value.string")
    }
    #expect(throws: CheckpointError.missingField(path: path, field: "value", expected: "a string")) {
      try metadata.string("value")
    }
  }

  @Test(arguments: GGUFTensorType.allCases)
  func blocksHoldTheirParts(type: GGUFTensorType) {
    // Bits per element, rounded: the format's own figures of merit.
    let bits: [GGUFTensorType: Double] = [
      .f32: 32, .f16: 16, .bf16: 16, .q8Zero: 8.5, .q4Zero: 4.5, .q4One: 5, .q5Zero: 5.5, .q5One: 6,
      .q4K: 4.5, .q5K: 5.5, .q6K: 6.5625,
    ]
    #expect(Double(type.blockByteCount * 8) / Double(type.blockElementCount) == bits[type])
  }

  /// Real vocabularies; sizes as the reader of the gguf package counts them.
  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func readsRealVocabularies() throws {
    let folder = try #require(SharedData.folder).appending(path: "llamacpp-vocab")
    let sizes = ["gpt-2": 50257, "falcon": 65024, "llama-spm": 32000, "refact": 49216, "starcoder": 49152]
    for (name, size) in sizes {
      let file = try GGUFFile(folder.appending(path: "ggml-vocab-\(name).gguf"))
      #expect(file.tensors.isEmpty)
      #expect(try file.metadata.stringsIfPresent("tokenizer.ggml.tokens")?.count == size, "\(name)")
    }
  }
}
