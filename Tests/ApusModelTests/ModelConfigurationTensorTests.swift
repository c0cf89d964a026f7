import ApusCheckpoint
import ApusModel
import Foundation
import Testing

@Suite struct ModelConfigurationTensorTests {
  /// A folder of one test's own with a copy of a fixture, whose weights' header the test may edit.
  final class Copy {
    let url: URL

    init(_ name: String) throws {
      url = FileManager.default.temporaryDirectory.appending(path: "apus-model-\(UUID().uuidString)")
      try FileManager.default.copyItem(at: ReferenceFixture.folder.appending(path: name), to: url)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func validate() throws {
      try ModelConfiguration(directory: url).validate(Checkpoint.open(url))
    }

    /// Replaces text in the header, and adds bytes to the data.
    func edit(_ old: String, _ new: String, adding data: [UInt8] = []) throws {
      let file = url.appending(path: "model.safetensors")
      let bytes = try Data(contentsOf: file)
      let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      var header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
      try #require(header.contains(old))
      header = header.replacing(old, with: new, maxReplacements: 1)
      var edited = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
      edited.append(contentsOf: header.utf8)
      edited.append(contentsOf: bytes[(8 + length)...])
      edited.append(contentsOf: data)
      try edited.write(to: file)
    }

    /// Adds a tensor at the end of the data.
    func add(_ name: String, dtype: String, shape: [Int], _ data: [UInt8]) throws {
      let end = try Checkpoint.open(url).byteCount
      let entry =
        "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),"
        + "\"data_offsets\":[\(end),\(end + data.count)]}"
      try edit("{", "{\(entry),", adding: data)
    }
  }

  @Test(arguments: ReferenceFixture.all)
  func acceptsTheTensorsTransformersWrites(fixture: ReferenceFixture) throws {
    let configuration = try ModelConfiguration(directory: fixture.directory)
    let checkpoint = try Checkpoint.open(fixture.directory)
    try configuration.validate(checkpoint)
    #expect(configuration.expectedTensors.count == checkpoint.tensors.count)
    for tensor in checkpoint.tensors { try tensor.requireFinite() }
  }

  @Test func refusesAMissingTensor() throws {
    let copy = try Copy("qwen2-tied")
    try copy.edit("model.norm.weight", "model.norm.weights")
    let error = #expect(throws: ModelTensorError.self) { try copy.validate() }
    guard case .missing(_, "model.norm.weight", [32])? = error else { throw try #require(error) }
  }

  @Test func refusesAWrongShape() throws {
    let copy = try Copy("qwen2-tied")
    try copy.edit("[97,32]", "[32,97]")
    let error = #expect(throws: ModelTensorError.self) { try copy.validate() }
    guard case .wrongShape(_, "model.embed_tokens.weight", [32, 97], [97, 32])? = error else {
      throw try #require(error)
    }
  }

  @Test func refusesADTypeThatIsNoWeights() throws {
    let copy = try Copy("qwen2-tied")
    try copy.edit("\"F32\"", "\"I32\"")
    let error = #expect(throws: ModelTensorError.self) { try copy.validate() }
    guard case .unusableDType(_, _, .i32)? = error else { throw try #require(error) }
  }

  @Test func refusesATensorTheModelDoesNotUse() throws {
    let copy = try Copy("qwen2-tied")
    try copy.add(
      "model.layers.0.mlp.up_proj.bias", dtype: "F32", shape: [44], Array(repeating: 0, count: 176))
    let error = #expect(throws: ModelTensorError.self) { try copy.validate() }
    guard case .unexpected(_, "model.layers.0.mlp.up_proj.bias")? = error else { throw try #require(error) }
  }

  @Test func refusesLayersBeyondTheConfigurations() throws {
    let copy = try Copy("llama2")
    let config = copy.url.appending(path: "config.json")
    let text = try String(contentsOf: config, encoding: .utf8)
    try Data(text.replacing("\"num_hidden_layers\": 2", with: "\"num_hidden_layers\": 1").utf8).write(
      to: config)
    let error = #expect(throws: ModelTensorError.self) { try copy.validate() }
    guard case .unexpected(_, let name)? = error else { throw try #require(error) }
    #expect(name.hasPrefix("model.layers.1."))
  }

  @Test func ignoresStoredInverseFrequencies() throws {
    let copy = try Copy("llama2")
    try copy.add(
      "model.layers.0.self_attn.rotary_emb.inv_freq", dtype: "F32", shape: [3], Array(repeating: 0, count: 12)
    )
    try copy.validate()
  }

  @Test func acceptsATiedOutputProjectionOnlyAsACopyOfTheEmbedding() throws {
    let copy = try Copy("qwen2-tied")
    let embedding = try #require(Checkpoint.open(copy.url)["model.embed_tokens.weight"])
    var bytes = embedding.withUnsafeBytes { Array($0) }
    try copy.add("lm_head.weight", dtype: "F32", shape: [97, 32], bytes)
    try copy.validate()

    let other = try Copy("qwen2-tied")
    bytes[bytes.count - 1] ^= 1
    try other.add("lm_head.weight", dtype: "F32", shape: [97, 32], bytes)
    let error = #expect(throws: ModelTensorError.self) { try other.validate() }
    guard case .contradictsTie(_, "lm_head.weight")? = error else { throw try #require(error) }
  }
}
