import ApusCheckpoint
import ApusModel
import Testing

@Suite struct ModelConfigurationRefusalTests {
  /// Reads a configuration that must be refused, and gives the field its error names.
  func refusedField(
    _ architecture: ModelArchitecture = .llama, _ changes: [String: String?] = [:], more: String? = nil,
    generation: String? = nil
  ) throws -> String {
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationText(architecture).with(changes).read(more: more, generation: generation)
    }
    switch try #require(error) {
    case .file(.invalidField(let path, let field, _, _)), .file(.missingField(let path, let field, _)):
      return path == "config.json" ? field : "\(path) \(field)"
    case .unsupported(_, let field, _, _), .contradiction(_, let field, _, _): return field
    case .unsupportedArchitecture(_, let found): return found
    case .file(let error): return "\(error)"
    }
  }

  @Test(arguments: [
    "GPT2LMHeadModel", "Qwen2MoeForCausalLM", "Qwen2ForSequenceClassification", "Gemma2ForCausalLM", "llama",
    "LlamaForCausalLM\\u0000",
  ])
  func refusesUnknownArchitecturesByName(name: String) throws {
    let found = try refusedField(.llama, ["architectures": "[\"\(name)\"]"])
    #expect(found.hasPrefix("\"\(name.prefix(8))"))
  }

  @Test func refusesAnArchitectureThatIsNotOne() throws {
    for value in ["[]", "\"LlamaForCausalLM\"", "[1]", "[\"LlamaForCausalLM\",\"Qwen2ForCausalLM\"]", nil] {
      #expect(try refusedField(.llama, ["architectures": value]) == "architectures")
    }
    #expect(try refusedField(.llama, ["model_type": "\"qwen2\""]) == "model_type")
    let unknown = ["architectures": nil, "model_type": "\"gpt2\""]
    #expect(try refusedField(.llama, unknown) == "\"gpt2\"")
  }

  @Test(arguments: [
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "max_position_embeddings",
  ])
  func refusesSizesOutOfRange(key: String) throws {
    let values = [
      "0", "-1", "1073741824", "9223372036854775807", "99999999999999999999", "1e3", "32.0", "\"32\"", "true",
      "[32]", "null", nil,
    ]
    for value in values { #expect(try refusedField(.llama, [key: value]) == key) }
  }

  @Test func refusesHeadsThatDoNotFit() throws {
    let kv = "num_key_value_heads"
    for value in ["3", "0", "-2", "8", "2.0"] { #expect(try refusedField(.llama, [kv: value]) == kv) }
    for family in [ModelArchitecture.qwen2, .qwen3, .mistral] {
      #expect(try refusedField(family, [kv: nil]) == kv)
    }
    #expect(try refusedField(.llama, ["hidden_size": "34"]) == "hidden_size")
    for value in ["7", "0", "-8", "8192", "8.0"] {
      #expect(try refusedField(.llama, ["head_dim": value]) == "head_dim")
    }
    #expect(try refusedField(.llama, ["hidden_size": "28"]) == "head_dim")
  }

  @Test(arguments: ["0", "-1e-6", "1e-60", "1e300", "\"1e-6\"", "[]"])
  func refusesAnEpsilonThatIsNotAPositiveFloat(value: String) throws {
    #expect(try refusedField(.llama, ["rms_norm_eps": value]) == "rms_norm_eps")
  }

  @Test(arguments: ["NaN", "Infinity", "-Infinity", "1e999"])
  func refusesNumbersThatAreNotFinite(value: String) throws {
    let error = #expect(throws: CheckpointError.self) {
      try ConfigurationText().with(["rms_norm_eps": value]).read()
    }
    guard case .malformedJSON("config.json", _)? = error else { throw try #require(error) }
  }

  @Test(arguments: [
    ("hidden_act", "\"gelu\""), ("hidden_act", "1"), ("pretraining_tp", "2"),
    ("quantization_config", "{\"quant_method\":\"gptq\"}"), ("num_experts", "8"), ("num_local_experts", "8"),
    ("n_routed_experts", "64"), ("moe_intermediate_size", "128"), ("partial_rotary_factor", "0.5"),
    ("torch_dtype", "\"float8_e4m3fn\""), ("dtype", "\"int8\""), ("tie_word_embeddings", "1"),
    ("attention_bias", "\"true\""), ("mlp_bias", "0"),
  ])
  func refusesUnsupportedSettingsByName(key: String, value: String) throws {
    #expect(try refusedField(.llama, [key: value]) == key)
  }

  @Test func refusesTwoDTypes() throws {
    #expect(
      try refusedField(.llama, ["dtype": "\"float16\"", "torch_dtype": "\"float32\""]) == "torch_dtype")
  }

  @Test(arguments: ["-1", "1.0", "\"2\"", "[1,null]", "[-1]", "4294967296", "true"])
  func refusesEndTokensThatAreNotIds(value: String) throws {
    #expect(try refusedField(.llama, ["eos_token_id": value]) == "eos_token_id")
    #expect(
      try refusedField(generation: "{\"eos_token_id\":\(value)}") == "generation_config.json eos_token_id")
  }

  // MARK: - Sliding windows

  @Test func refusesWindowsThatMakeNoSense() throws {
    for value in ["0", "-7", "7.5", "\"7\""] {
      #expect(try refusedField(.mistral, ["sliding_window": value]) == "sliding_window")
    }
    let used = ["use_sliding_window": "true", "sliding_window": "7"]
    #expect(try refusedField(.qwen2, used.merging(["max_window_layers": "-1"]) { $1 }) == "max_window_layers")
    #expect(try refusedField(.qwen2, ["use_sliding_window": "1"]) == "use_sliding_window")
    let sliding = "[\"sliding_attention\",\"sliding_attention\"]"
    let full = "[\"full_attention\",\"full_attention\"]"
    #expect(try refusedField(.qwen2, ["layer_types": sliding]) == "layer_types")
    #expect(try refusedField(.llama, ["layer_types": sliding]) == "layer_types")
    #expect(try refusedField(.mistral, ["layer_types": full, "sliding_window": "7"]) == "layer_types")
    #expect(try refusedField(.qwen2, ["layer_types": "[\"full_attention\"]"]) == "layer_types")
    #expect(
      try refusedField(.qwen2, ["layer_types": "[\"full_attention\",\"chunked_attention\"]"]) == "layer_types"
    )
  }

  // MARK: - Rotary embedding

  @Test(arguments: ["yarn", "dynamic", "longrope", "su", "mrope", "proportional", "Linear", ""])
  func refusesOtherRotaryScalingsByName(type: String) throws {
    let group = "{\"rope_type\":\"\(type)\",\"factor\":2.0}"
    #expect(try refusedField(more: "\"rope_scaling\":\(group)") == "rope_scaling.rope_type")
    #expect(try refusedField(more: "\"rope_parameters\":\(group)") == "rope_parameters.rope_type")
    let old = "{\"type\":\"\(type)\",\"factor\":2.0}"
    #expect(try refusedField(more: "\"rope_scaling\":\(old)") == "rope_scaling.type")
  }

  @Test(arguments: ["0", "-1", "1e-60", "1e300", "\"10000\""])
  func refusesAThetaThatIsNotAPositiveFloat(value: String) throws {
    #expect(try refusedField(.llama, ["rope_theta": value]) == "rope_theta")
    let field = try refusedField(more: "\"rope_parameters\":{\"rope_theta\":\(value)}")
    #expect(field == "rope_parameters.rope_theta")
  }

  @Test(arguments: ["0.5", "0", "-2", "1e300", "null", "\"2\""])
  func refusesAFactorUnderOne(value: String) throws {
    let field = try refusedField(more: "\"rope_scaling\":{\"type\":\"linear\",\"factor\":\(value)}")
    #expect(field == "rope_scaling.factor")
  }

  @Test(arguments: [
    ("low_freq_factor", "\"high_freq_factor\":4"),
    ("low_freq_factor", "\"low_freq_factor\":0,\"high_freq_factor\":4"),
    ("high_freq_factor", "\"low_freq_factor\":1"),
    ("high_freq_factor", "\"low_freq_factor\":4,\"high_freq_factor\":4"),
    ("high_freq_factor", "\"low_freq_factor\":1,\"high_freq_factor\":1.00000000001"),
    (
      "original_max_position_embeddings",
      "\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":0"
    ),
    (
      "original_max_position_embeddings",
      "\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":99999999999999999999"
    ),
  ])
  func refusesLlama3ParametersOutOfOrder(key: String, fields: String) throws {
    let field = try refusedField(
      more: "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\(fields)}")
    #expect(field == "rope_scaling.\(key)")
  }

  @Test(arguments: [
    ("rope_scaling.type", "\"rope_scaling\":{\"rope_type\":\"linear\",\"type\":\"llama3\",\"factor\":2}"),
    (
      "rope_scaling.type",
      "\"rope_parameters\":{\"rope_type\":\"default\"},\"rope_scaling\":{\"type\":\"linear\"}"
    ),
    ("rope_theta", "\"rope_theta\":1e4,\"rope_parameters\":{\"rope_theta\":1e6}"),
    (
      "rope_scaling.factor",
      "\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":2},\"rope_scaling\":{\"factor\":4}"
    ),
    ("rope_scaling.rope_type", "\"rope_scaling\":{\"factor\":4}"),
    ("rope_parameters.full_attention", "\"rope_parameters\":{\"full_attention\":{\"rope_theta\":1e4}}"),
    ("rope_scaling.mrope_section", "\"rope_scaling\":{\"type\":\"default\",\"mrope_section\":[1,2]}"),
    ("rope_parameters.partial_rotary_factor", "\"rope_parameters\":{\"partial_rotary_factor\":0.25}"),
    ("rope_scaling", "\"rope_scaling\":\"linear\""),
  ])
  func refusesContradictingRotaryParameters(field: String, fields: String) throws {
    #expect(try refusedField(more: fields) == field)
  }
}
