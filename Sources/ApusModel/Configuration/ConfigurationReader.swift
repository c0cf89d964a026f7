public import ApusCheckpoint
public import Foundation

extension ModelConfiguration {
  /// Reads `config.json` and, where there is one, `generation_config.json` of a Hugging Face model folder.
  public init(directory: URL) throws(ConfigurationError) {
    let config = try field { () throws(CheckpointError) in
      try JSONObject.read(directory.appending(path: "config.json"))
    }
    let generation = try field { () throws(CheckpointError) -> JSONObject? in
      let file = directory.appending(path: "generation_config.json")
      return FileManager.default.fileExists(atPath: file.path) ? try JSONObject.read(file) : nil
    }
    try self.init(config: config, generation: generation)
  }

  /// Reads a configuration as Hugging Face transformers, versions 4 and 5, write it.
  ///
  /// A field that is absent takes the default that transformers gives it, except the sizes of the model,
  /// which are required. Fields that change nothing in the computation are not looked at.
  /// - Parameter generation: `generation_config.json`, whose bos and eos ids go before those of `config`.
  public init(config: JSONObject, generation: JSONObject? = nil) throws(ConfigurationError) {
    self = try ConfigurationReader(config: config, generation: generation).configuration()
  }
}

/// Runs a typed getter, giving its error the configuration's type.
func field<Value>(_ read: () throws(CheckpointError) -> Value) throws(ConfigurationError) -> Value {
  do throws(CheckpointError) { return try read() } catch { throw .file(error) }
}

/// The most a size may be: beyond any model there is, and low enough that no product of two overflows.
enum SizeMax {
  static let vocabulary = 1 << 24
  static let hidden = 1 << 20
  static let intermediate = 1 << 22
  static let layers = 1 << 12
  static let heads = 1 << 12
  static let head = 1 << 12
  static let context = 1 << 27
}

/// One pass over the fields of a `config.json`.
struct ConfigurationReader {
  let config: JSONObject
  let generation: JSONObject?

  func configuration() throws(ConfigurationError) -> ModelConfiguration {
    let architecture = try self.architecture()
    try refuseUnsupportedSettings()
    let hiddenSize = try size("hidden_size", max: SizeMax.hidden)
    let layerCount = try size("num_hidden_layers", max: SizeMax.layers)
    let headCount = try size("num_attention_heads", max: SizeMax.heads)
    let contextLength = try size("max_position_embeddings", max: SizeMax.context)
    let biases = try biases(architecture)
    return ModelConfiguration(
      architecture: architecture,
      vocabularySize: try size("vocab_size", max: SizeMax.vocabulary),
      hiddenSize: hiddenSize,
      intermediateSize: try size("intermediate_size", max: SizeMax.intermediate),
      layerCount: layerCount,
      headCount: headCount,
      kvHeadCount: try kvHeadCount(architecture, headCount: headCount),
      headSize: try headSize(architecture, hiddenSize: hiddenSize, headCount: headCount),
      rmsNormEpsilon: try rmsNormEpsilon(),
      rope: try RopeReader(config: config).rope(contextLength: contextLength),
      contextLength: contextLength,
      tiedEmbeddings: try boolean("tie_word_embeddings"),
      attentionBias: biases.attention,
      outputBias: biases.output,
      mlpBias: biases.mlp,
      queryKeyNorm: architecture == .qwen3,
      slidingWindows: try SlidingWindowReader(config: config, layerCount: layerCount).windows(architecture),
      bosTokenID: try bosTokenID(architecture),
      eosTokenIDs: try eosTokenIDs(architecture),
      dtype: try dtype(),
      quantization: try QuantizationReader(config: config).quantization())
  }

  private func architecture() throws(ConfigurationError) -> ModelArchitecture {
    let named = try field { () throws(CheckpointError) in try config.stringsIfPresent("architectures") } ?? []
    let modelType = try field { () throws(CheckpointError) in try config.stringIfPresent("model_type") }
    guard let name = named.first else {
      guard let modelType else {
        throw .file(config.invalid("architectures", expected: "an array of one architecture"))
      }
      for architecture in ModelArchitecture.allCases where architecture.modelType == modelType {
        return architecture
      }
      throw .unsupportedArchitecture(path: config.file, found: config.summary("model_type"))
    }
    guard named.count == 1 else {
      throw .file(config.invalid("architectures", expected: "an array of one architecture"))
    }
    guard let architecture = ModelArchitecture(rawValue: name) else {
      throw .unsupportedArchitecture(path: config.file, found: quoted(name))
    }
    guard modelType == nil || modelType == architecture.modelType else {
      throw .contradiction(
        path: config.file, field: "model_type", found: config.summary("model_type"),
        other: "architecture \(name)")
    }
    return architecture
  }

  private func refuseUnsupportedSettings() throws(ConfigurationError) {
    let activation = try field { () throws(CheckpointError) in try config.stringIfPresent("hidden_act") }
    // Two names of one function in transformers.
    guard ["silu", "swish", nil].contains(activation) else { throw unsupported("hidden_act", "silu") }
    guard try number("pretraining_tp") ?? 1 == 1 else { throw unsupported("pretraining_tp", "1") }
    for key in ["num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"] {
      guard try number(key) ?? 0 == 0 else { throw unsupported(key, "a dense model without experts") }
    }
  }

  private func kvHeadCount(
    _ architecture: ModelArchitecture, headCount: Int
  ) throws(ConfigurationError) -> Int {
    let key = "num_key_value_heads"
    // Only Llama's default follows from another field; null means the same in every family.
    if config.isNull(key) || (architecture == .llama && !config.has(key)) { return headCount }
    let count = try size(key, max: SizeMax.heads)
    guard headCount % count == 0 else {
      throw .contradiction(
        path: config.file, field: key, found: "\(count)",
        other: "num_attention_heads \(headCount), which must be a multiple of it")
    }
    return count
  }

  private func headSize(
    _ architecture: ModelArchitecture, hiddenSize: Int, headCount: Int
  ) throws(ConfigurationError) -> Int {
    let size: Int
    if config.has("head_dim") {
      size = try self.size("head_dim", max: SizeMax.head)
    } else if architecture == .qwen3 {
      size = 128
    } else {
      size = hiddenSize / headCount
      guard hiddenSize % headCount == 0, size <= SizeMax.head else {
        throw .contradiction(
          path: config.file, field: "hidden_size", found: "\(hiddenSize)",
          other: "num_attention_heads \(headCount) without head_dim: heads of at most \(SizeMax.head) "
            + "elements must fill it")
      }
    }
    guard size.isMultiple(of: 2) else {
      throw .unsupported(path: config.file, field: "head_dim", found: "\(size)", supported: "an even size")
    }
    return size
  }

  private func rmsNormEpsilon() throws(ConfigurationError) -> Float {
    let epsilon = Float(try number("rms_norm_eps") ?? 1e-6)
    guard epsilon.isFinite, epsilon > 0 else {
      throw .file(config.invalid("rms_norm_eps", expected: "a positive number that a float can hold"))
    }
    return epsilon
  }

  private func biases(
    _ architecture: ModelArchitecture
  ) throws(ConfigurationError) -> (attention: Bool, output: Bool, mlp: Bool) {
    switch architecture {
    case .qwen2: return (true, false, false)
    case .mistral: return (false, false, false)
    case .qwen3:
      let attention = try boolean("attention_bias")
      return (attention, attention, false)
    case .llama:
      let attention = try boolean("attention_bias")
      return (attention, attention, try boolean("mlp_bias"))
    }
  }
}

// MARK: - Token ids and dtype

extension ConfigurationReader {
  private static let tokenIDs = 0...Int(Int32.max)

  private func bosTokenID(_ architecture: ModelArchitecture) throws(ConfigurationError) -> Int? {
    let key = "bos_token_id"
    for source in [generation, config].compactMap(\.self) where source.has(key) {
      return try field { () throws(CheckpointError) in try source.integer(key, in: Self.tokenIDs) }
    }
    return config.isNull(key) ? nil : architecture.defaultBosTokenID
  }

  private func eosTokenIDs(_ architecture: ModelArchitecture) throws(ConfigurationError) -> [Int] {
    let key = "eos_token_id"
    for source in [generation, config].compactMap(\.self) where source.has(key) {
      guard case .array(let values)? = source.value(key) else {
        return [try field { () throws(CheckpointError) in try source.integer(key, in: Self.tokenIDs) }]
      }
      var ids: [Int] = []
      for value in values {
        guard case .integer(let id) = value, Self.tokenIDs.contains(id) else {
          throw .file(source.invalid(key, expected: "a token id or an array of token ids"))
        }
        ids.append(id)
      }
      return ids
    }
    return config.isNull(key) ? [] : architecture.defaultEosTokenIDs
  }

  /// `dtype` in version 5, `torch_dtype` before.
  private func dtype() throws(ConfigurationError) -> TensorDType? {
    let names = ["float32": TensorDType.f32, "float16": .f16, "bfloat16": .bf16]
    var found: TensorDType?
    for key in ["dtype", "torch_dtype"] {
      guard let name = try field({ () throws(CheckpointError) in try config.stringIfPresent(key) }) else {
        continue
      }
      guard let dtype = names[name] else { throw unsupported(key, "float32, float16 or bfloat16") }
      guard found == nil || found == dtype else {
        throw .contradiction(path: config.file, field: key, found: config.summary(key), other: "dtype")
      }
      found = dtype
    }
    return found
  }
}

extension ModelArchitecture {
  /// What transformers takes where `config.json` does not have the field.
  fileprivate var defaultBosTokenID: Int? { self == .llama || self == .mistral ? 1 : nil }
  fileprivate var defaultEosTokenIDs: [Int] { self == .llama || self == .mistral ? [2] : [] }
}

// MARK: - Getters

extension ConfigurationReader {
  private func size(_ key: String, max: Int) throws(ConfigurationError) -> Int {
    try field { () throws(CheckpointError) in try config.integer(key, in: 1...max) }
  }

  private func number(_ key: String) throws(ConfigurationError) -> Double? {
    try field { () throws(CheckpointError) in try config.numberIfPresent(key) }
  }

  /// False where the field is absent.
  private func boolean(_ key: String) throws(ConfigurationError) -> Bool {
    try field { () throws(CheckpointError) in try config.booleanIfPresent(key) } ?? false
  }

  private func unsupported(_ key: String, _ supported: String) -> ConfigurationError {
    .unsupported(path: config.file, field: key, found: config.summary(key), supported: supported)
  }
}
