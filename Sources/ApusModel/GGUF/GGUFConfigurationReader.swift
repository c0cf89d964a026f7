public import ApusCheckpoint
import ApusKernels

extension ModelConfiguration {
  /// Reads a configuration from the metadata of a GGUF file, and from which tensors it has: the format keeps no
  /// settings for ties and biases.
  ///
  /// Sizes and the norms' epsilon are required; what else is absent takes the format's default. Settings that
  /// change the computation in a way the engine does not run are refused.
  public init(_ file: GGUFFile) throws(ConfigurationError) {
    self = try GGUFConfigurationReader(file).configuration()
  }
}

/// One pass over the metadata of a model.
///
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, "Standardized key-value pairs".
struct GGUFConfigurationReader {
  let file: GGUFFile
  let architecture: ModelArchitecture
  /// What the family's keys begin with.
  let prefix: String

  private static let architectures: [String: ModelArchitecture] = [
    // Mistral's files are Llama's in name and layout.
    "llama": .llama, "qwen2": .qwen2, "qwen3": .qwen3,
  ]

  var metadata: GGUFMetadata { file.metadata }

  init(_ file: GGUFFile) throws(ConfigurationError) {
    let key = "general.architecture"
    let name = try field { () throws(CheckpointError) in try file.metadata.string(key) }
    guard let architecture = Self.architectures[name] else {
      throw .unsupported(
        path: file.path, field: key, found: quoted(name),
        supported: Self.architectures.keys.sorted().joined(separator: ", "))
    }
    self.file = file
    self.architecture = architecture
    prefix = name + "."
  }

  func configuration() throws(ConfigurationError) -> ModelConfiguration {
    try refuseUnsupportedSettings()
    let hiddenSize = try size("embedding_length", max: SizeMax.hidden)
    let layerCount = try size("block_count", max: SizeMax.layers)
    let headCount = try size("attention.head_count", max: SizeMax.heads)
    let headSize = try headSize(hiddenSize: hiddenSize, headCount: headCount)
    let contextLength = try size("context_length", max: SizeMax.context)
    try refuseWindows(contextLength: contextLength)
    let embedding = try embedding()
    return ModelConfiguration(
      architecture: architecture,
      vocabularySize: embedding.shape[0],
      hiddenSize: hiddenSize,
      intermediateSize: try size("feed_forward_length", max: SizeMax.intermediate),
      layerCount: layerCount,
      headCount: headCount,
      kvHeadCount: try kvHeadCount(headCount: headCount),
      headSize: headSize,
      rmsNormEpsilon: try rmsNormEpsilon(),
      rope: try GGUFRopeReader(self, headSize: headSize).rope(),
      contextLength: contextLength,
      tiedEmbeddings: file[GGUFTensorNames.outputHead] == nil,
      attentionBias: architecture == .qwen2 || file["blk.0.attn_q.bias"] != nil,
      outputBias: file["blk.0.attn_output.bias"] != nil,
      mlpBias: file["blk.0.ffn_gate.bias"] != nil,
      queryKeyNorm: architecture == .qwen3,
      slidingWindows: Array(repeating: nil, count: layerCount),
      bosTokenID: try tokenID("bos_token_id"),
      eosTokenIDs: try eosTokenIDs(),
      dtype: embedding.dtype)
  }

  /// The vocabulary's size is that of the embedding, as `vocab_size` need not be there.
  private func embedding() throws(ConfigurationError) -> (shape: [Int], dtype: TensorDType?) {
    let name = GGUFTensorNames.embedding
    guard let tensor = file[name] else {
      throw .file(.missingField(path: file.path, field: name, expected: "the tensor of the token embedding"))
    }
    guard tensor.shape.count == 2, tensor.shape[0] <= SizeMax.vocabulary else {
      throw .file(
        .invalidTensor(
          path: file.path, tensor: name, found: "shape \(tensor.shape)",
          expected: "[vocabulary, hidden], the first at most \(SizeMax.vocabulary)"))
    }
    return (tensor.shape, FloatType(tensor.type).map(\.dtype))
  }

  private func kvHeadCount(headCount: Int) throws(ConfigurationError) -> Int {
    let name = "attention.head_count_kv"
    guard metadata.has(prefix + name) else { return headCount }
    let count = try size(name, max: SizeMax.heads)
    guard headCount % count == 0 else {
      throw .contradiction(
        path: file.path, field: prefix + name, found: "\(count)",
        other: "\(prefix)attention.head_count \(headCount), which must be a multiple of it")
    }
    return count
  }

  private func headSize(hiddenSize: Int, headCount: Int) throws(ConfigurationError) -> Int {
    let key = prefix + "attention.key_length"
    let size: Int
    if metadata.has(key) {
      size = try self.size("attention.key_length", max: SizeMax.head)
    } else {
      size = hiddenSize / headCount
      guard hiddenSize % headCount == 0, size <= SizeMax.head else {
        throw .contradiction(
          path: file.path, field: prefix + "embedding_length", found: "\(hiddenSize)",
          other: "\(prefix)attention.head_count \(headCount) without \(key): heads of at most "
            + "\(SizeMax.head) elements must fill it")
      }
    }
    guard size.isMultiple(of: 2) else {
      throw .unsupported(path: file.path, field: key, found: "\(size)", supported: "an even size")
    }
    try require("attention.value_length", size, "the length of keys")
    try require("rope.dimension_count", size, "the whole head")
    return size
  }

  /// Refuses a size that is there and is not the one the engine runs.
  private func require(_ name: String, _ size: Int, _ meaning: String) throws(ConfigurationError) {
    let key = prefix + name
    let found = try field { () throws(CheckpointError) in
      try metadata.integerIfPresent(key, in: 0...SizeMax.head)
    }
    guard found == nil || found == size else { throw unsupported(key, "\(size), \(meaning)") }
  }

  private func rmsNormEpsilon() throws(ConfigurationError) -> Float {
    let key = prefix + "attention.layer_norm_rms_epsilon"
    let epsilon = Float(try number(key) ?? .nan)
    guard epsilon.isFinite, epsilon > 0 else {
      throw .file(metadata.invalid(key, expected: "a positive number that a float can hold"))
    }
    return epsilon
  }
}

// MARK: - What is refused

extension GGUFConfigurationReader {
  /// Factors and limits of other families, which would be left out silently.
  private static let otherScales = [
    "logit_scale", "residual_scale", "embedding_scale", "attention.scale", "attention.clamp_kqv",
    "attention.max_alibi_bias", "attn_logit_softcapping", "final_logit_softcapping",
  ]

  private func refuseUnsupportedSettings() throws(ConfigurationError) {
    guard try number("split.count") ?? 1 <= 1 else {
      throw unsupported("split.count", "a model in one file")
    }
    guard try number(prefix + "expert_count") ?? 0 == 0 else {
      throw unsupported(prefix + "expert_count", "a dense model without experts")
    }
    for name in Self.otherScales {
      guard try number(prefix + name) ?? 0 == 0 else {
        throw unsupported(prefix + name, "a model without it")
      }
    }
    guard try boolean(prefix + "use_parallel_residual") != true else {
      throw unsupported(prefix + "use_parallel_residual", "false")
    }
    guard try boolean(prefix + "attention.causal") != false else {
      throw unsupported(prefix + "attention.causal", "true")
    }
  }

  /// The format does not say which layers a window is for.
  private func refuseWindows(contextLength: Int) throws(ConfigurationError) {
    let key = prefix + "attention.sliding_window"
    let window = try number(key) ?? 0
    guard window == 0 || window >= Double(contextLength) else {
      throw unsupported(key, "no window shorter than the context of \(contextLength)")
    }
  }
}

// MARK: - Getters

extension GGUFConfigurationReader {
  private func size(_ name: String, max: Int) throws(ConfigurationError) -> Int {
    try field { () throws(CheckpointError) in try metadata.integer(prefix + name, in: 1...max) }
  }

  func number(_ key: String) throws(ConfigurationError) -> Double? {
    try field { () throws(CheckpointError) in try metadata.numberIfPresent(key) }
  }

  private func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
    try field { () throws(CheckpointError) in try metadata.booleanIfPresent(key) }
  }

  private func tokenID(_ name: String) throws(ConfigurationError) -> Int? {
    try field { () throws(CheckpointError) in
      try metadata.integerIfPresent("tokenizer.ggml." + name, in: 0...Int(Int32.max))
    }
  }

  /// Ends of text, of turn and of message: a chat model ends its answer with any of them.
  private func eosTokenIDs() throws(ConfigurationError) -> [Int] {
    var ids: [Int] = []
    for name in ["eos_token_id", "eot_token_id", "eom_token_id"] {
      if let id = try tokenID(name), !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  func unsupported(_ key: String, _ supported: String) -> ConfigurationError {
    .unsupported(path: file.path, field: key, found: metadata.summary(key), supported: supported)
  }
}
