import ApusCheckpoint
import ApusModel
import Foundation
import TestSupport
import Testing

@Suite struct ModelConfigurationTests {
  @Test(arguments: ReferenceFixture.all)
  func understandsAConfigurationAsTransformersDoes(fixture: ReferenceFixture) throws {
    let found = try ModelConfiguration(directory: fixture.directory)
    let expected = fixture.configuration
    #expect(found.architecture.rawValue == expected.architecture)
    #expect(found.vocabularySize == expected.vocab_size)
    #expect(found.hiddenSize == expected.hidden_size)
    #expect(found.intermediateSize == expected.intermediate_size)
    #expect(found.layerCount == expected.num_hidden_layers)
    #expect(found.headCount == expected.num_attention_heads)
    #expect(found.kvHeadCount == expected.num_key_value_heads)
    #expect(found.headSize == expected.head_dim)
    #expect(found.rmsNormEpsilon == Float(expected.rms_norm_eps))
    #expect(found.contextLength == expected.max_position_embeddings)
    #expect(found.tiedEmbeddings == expected.tie_word_embeddings)
    #expect(found.slidingWindows == expected.sliding_windows)
    let rope = expected.rope_parameters
    #expect(found.rope.theta == rope.rope_theta)
    switch found.rope.scaling {
    case .none: #expect(rope.rope_type == "default")
    case .linear(let factor):
      #expect(rope.rope_type == "linear")
      #expect(factor == rope.factor)
    case .llama3(let factor, let low, let high, let length):
      #expect(rope.rope_type == "llama3")
      #expect(factor == rope.factor)
      #expect(low == rope.low_freq_factor)
      #expect(high == rope.high_freq_factor)
      #expect(length == rope.original_max_position_embeddings)
    }
  }

  @Test func hasFixturesOfEveryFamilyAndSetting() throws {
    let all = try ReferenceFixture.all.map { try ModelConfiguration(directory: $0.directory) }
    #expect(all.count >= 15)
    #expect(Set(all.map(\.architecture)) == Set(ModelArchitecture.allCases))
    #expect(all.contains { $0.outputBias } && all.contains { $0.mlpBias })
    #expect(all.contains { $0.slidingWindows.contains(nil) && Set($0.slidingWindows).count > 1 })
    #expect(Set(all.compactMap(\.dtype)) == [.f32, .f16, .bf16])
  }

  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func readsRealConfigurations() throws {
    let folder = try #require(SharedData.folder)
    let stories = try ModelConfiguration(directory: folder.appending(path: "stories260K-hf"))
    #expect(stories.architecture == .llama)
    #expect(stories.headSize == 8)
    #expect(stories.tiedEmbeddings)
    #expect(stories.eosTokenIDs == [1, 2])
    try stories.validate(Checkpoint.open(folder.appending(path: "stories260K-hf")))
    let qwen = try ModelConfiguration(directory: folder.appending(path: "qwen2"))
    #expect(qwen.architecture == .qwen2)
    #expect(qwen.headSize == 128)
    #expect(qwen.rope == RopeConfiguration(theta: 1_000_000))
    #expect(qwen.slidingWindows == Array(repeating: nil, count: 28))
    #expect(qwen.eosTokenIDs == [151645, 151643])
    #expect(qwen.dtype == .bf16)
  }

  // MARK: - What families have

  @Test func givesEachFamilyItsBiasesAndNorms() throws {
    func flags(_ architecture: ModelArchitecture, _ changes: [String: String?] = [:]) throws -> [Bool] {
      let found = try ConfigurationText(architecture).with(changes).read()
      return [found.attentionBias, found.outputBias, found.mlpBias, found.queryKeyNorm]
    }
    let biased = ["attention_bias": "true", "mlp_bias": "true"]
    #expect(try flags(.qwen2) == [true, false, false, false])
    #expect(try flags(.qwen3) == [false, false, false, true])
    #expect(try flags(.qwen3, biased) == [true, true, false, true])
    #expect(try flags(.llama) == [false, false, false, false])
    #expect(try flags(.llama, biased) == [true, true, true, false])
    #expect(try flags(.mistral) == [false, false, false, false])
    #expect(try flags(.mistral, biased) == [false, false, false, false])
  }

  @Test func takesTransformersDefaultsForAbsentFields() throws {
    let minimal = ConfigurationText().with(["num_key_value_heads": nil, "rms_norm_eps": nil])
    let llama = try minimal.read()
    #expect(llama.kvHeadCount == 4)
    #expect(llama.headSize == 8)
    #expect(llama.rmsNormEpsilon == 1e-6)
    #expect(llama.rope == RopeConfiguration(theta: 10000))
    #expect(llama.bosTokenID == 1)
    #expect(llama.eosTokenIDs == [2])
    #expect(!llama.tiedEmbeddings)
    #expect(llama.dtype == nil)
    #expect(try ConfigurationText(.qwen3).read().headSize == 128)
    #expect(try ConfigurationText(.qwen2).read().eosTokenIDs == [])
    #expect(try ConfigurationText(.mistral).read().slidingWindows == [4096, 4096])
  }

  @Test func takesNullAsAbsentOrAsNone() throws {
    let llama = try ConfigurationText().with([
      "num_key_value_heads": "null", "head_dim": "null", "rope_scaling": "null", "eos_token_id": "null",
      "bos_token_id": "null", "quantization_config": "null", "num_experts": "null",
    ]).read()
    #expect(llama.kvHeadCount == 4)
    #expect(llama.eosTokenIDs == [])
    #expect(llama.bosTokenID == nil)
    #expect(
      try ConfigurationText(.mistral).with(["sliding_window": "null"]).read().slidingWindows == [nil, nil])
  }

  @Test func prefersTheGenerationConfigurationsTokens() throws {
    let config = ConfigurationText().with(["bos_token_id": "5", "eos_token_id": "[6, 7]"])
    #expect(try config.read().eosTokenIDs == [6, 7])
    let found = try config.read(generation: "{\"bos_token_id\": 8, \"eos_token_id\": [9]}")
    #expect(found.bosTokenID == 8)
    #expect(found.eosTokenIDs == [9])
    #expect(try config.read(generation: "{\"eos_token_id\": null}").eosTokenIDs == [6, 7])
  }

  @Test func findsTheArchitectureByModelTypeAlone() throws {
    let config = ConfigurationText().with(["architectures": nil, "model_type": "\"mistral\""])
    #expect(try config.read().architecture == .mistral)
  }

  // MARK: - Sliding windows

  @Test func readsWhichLayersSlide() throws {
    func windows(_ architecture: ModelArchitecture, _ changes: [String: String?]) throws -> [Int?] {
      try ConfigurationText(architecture).with(changes).read().slidingWindows
    }
    let used = ["use_sliding_window": "true", "sliding_window": "7"]
    let mixed = "[\"sliding_attention\",\"full_attention\"]"
    #expect(try windows(.qwen2, ["sliding_window": "7", "max_window_layers": "0"]) == [nil, nil])
    #expect(try windows(.qwen2, used) == [nil, nil])
    #expect(try windows(.qwen3, used.merging(["max_window_layers": "1"]) { $1 }) == [nil, 7])
    #expect(try windows(.qwen3, used.merging(["layer_types": mixed]) { $1 }) == [7, nil])
    #expect(try windows(.mistral, ["sliding_window": "7"]) == [7, 7])
    #expect(try windows(.llama, ["sliding_window": "7"]) == [nil, nil])
  }

  // MARK: - Rotary embedding

  @Test(arguments: [
    "\"rope_theta\":5e5,\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}",
    "\"rope_theta\":500000,\"rope_scaling\":{\"rope_type\":\"linear\",\"type\":\"linear\",\"factor\":2.0}",
    "\"rope_parameters\":{\"rope_type\":\"linear\",\"rope_theta\":500000.0,\"factor\":2.0}",
    "\"rope_theta\":5e5,\"rope_parameters\":{\"rope_type\":\"linear\",\"rope_theta\":5e5,\"factor\":2},"
      + "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"partial_rotary_factor\":1.0",
  ])
  func readsBothStylesOfRotaryParameters(fields: String) throws {
    let rope = try ConfigurationText().read(more: fields).rope
    #expect(rope == RopeConfiguration(theta: 500_000, scaling: .linear(factor: 2)))
  }

  @Test func readsLlama3ScalingWithAndWithoutItsOriginalLength() throws {
    let scaling = "\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4"
    func length(_ fields: String) throws -> Int? {
      let scaling = try ConfigurationText().read(more: fields).rope.scaling
      guard case .llama3(8, 1, 4, let length) = scaling else { return nil }
      return length
    }
    let named = "\"original_max_position_embeddings\":64"
    #expect(try length("\"rope_scaling\":{\(scaling),\(named)}") == 64)
    #expect(try length("\"rope_scaling\":{\(scaling)},\(named)") == 64)
    #expect(try length("\"rope_scaling\":{\(scaling)}") == 128)
  }
}
