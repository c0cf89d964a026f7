import ApusCheckpoint
import ApusEngine

extension JSONObject {
  func array(_ key: String) throws(CheckpointError) -> [JSONValue] {
    guard let values = try arrayIfPresent(key) else { throw invalid(key, expected: "an array") }
    return values
  }

  func boolean(_ key: String) throws(CheckpointError) -> Bool {
    guard let value = try booleanIfPresent(key) else { throw invalid(key, expected: "true or false") }
    return value
  }

  func requestID(_ key: String) throws(CheckpointError) -> RequestID {
    RequestID(rawValue: UInt64(try integer(key, in: 0...Int.max)))
  }

  func hash(_ key: String) throws(CheckpointError) -> ContentHash {
    guard let hash = ContentHash(try string(key)) else {
      throw invalid(key, expected: "a hash of 16 hexadecimal digits")
    }
    return hash
  }

  func float(_ key: String) throws(CheckpointError) -> Float {
    guard let value = try numberIfPresent(key) else { throw invalid(key, expected: "a number") }
    return Float(value)
  }

  /// Token ids; whether a model has them is for who knows the model.
  func tokensIfPresent(_ key: String) throws(CheckpointError) -> [Int32]? {
    guard let values = try arrayIfPresent(key) else { return nil }
    var tokens: [Int32] = []
    tokens.reserveCapacity(values.count)
    for value in values {
      guard case .integer(let integer) = value, let token = Int32(exactly: integer), token >= 0 else {
        throw invalid(key, expected: "an array of token ids")
      }
      tokens.append(token)
    }
    return tokens
  }

  func tokens(_ key: String) throws(CheckpointError) -> [Int32] {
    guard let tokens = try tokensIfPresent(key) else {
      throw invalid(key, expected: "an array of token ids")
    }
    return tokens
  }
}

extension RecordingHeader {
  init(_ record: JSONObject) throws(CheckpointError) {
    let model = try record.object("model")
    self.init(
      version: try record.string("version"),
      model: Model(
        name: try model.string("name"), configuration: try model.hash("configuration"),
        weights: try model.hash("weights")),
      instructionSet: try record.string("instruction_set"), isPrecise: try record.boolean("precise"),
      weightType: try record.stringIfPresent("weight_type"), kvType: try record.string("kv_type"),
      threadCount: try record.integer("threads", in: 1...1 << 16),
      slotCount: try record.integer("slots", in: 1...1 << 20),
      contextLength: try record.integer("context_length", in: 1...1 << 31),
      prefillStep: try record.integer("prefill_step", in: 1...1 << 31), policy: try record.string("policy"),
      prefixCaching: try record.boolean("prefix_caching"),
      draftTokensMax: try record.integer("draft_tokens_max", in: 0...1 << 31),
      eosTokenIDs: try record.tokens("eos_token_ids"))
  }
}

extension RequestArrival {
  init(_ record: JSONObject) throws(CheckpointError) {
    guard let seed = UInt64(try record.string("seed")) else {
      throw record.invalid("seed", expected: "a number of 64 bits, as text")
    }
    let origin = record.has("forked_from") ? try record.requestID("forked_from") : nil
    self.init(
      id: try record.requestID("request"), promptTokens: try record.tokens("prompt"),
      sampling: try SamplingParameters(record.object("sampling")), seed: seed,
      priority: try record.integer("priority"), tenant: try record.string("tenant"), forkedFrom: origin,
      generatedTokens: origin == nil ? [] : try record.tokens("generated"),
      hasStopCondition: try record.boolean("stop_condition"), hasConstraint: try record.boolean("constraint"))
  }
}

extension SamplingParameters {
  /// As `RecordEncoder` writes them. Ranges are the engine's to check.
  init(_ record: JSONObject) throws(CheckpointError) {
    self.init(
      temperature: try record.float("temperature"), topK: try record.integer("top_k"),
      topP: try record.float("top_p"), minP: try record.float("min_p"),
      maxTokens: try record.integerIfPresent("max_tokens"), stopTokenIDs: try record.tokens("stop_token_ids"),
      ignoreEOS: try record.boolean("ignore_eos"), logprobs: try record.integerIfPresent("logprobs"),
      promptLogprobs: try record.integerIfPresent("prompt_logprobs"),
      minTokens: try record.integer("min_tokens"), logitBias: try Self.biases(record),
      repetitionPenalty: try record.float("repetition_penalty"),
      presencePenalty: try record.float("presence_penalty"),
      frequencyPenalty: try record.float("frequency_penalty"),
      allowedTokenIDs: try record.tokensIfPresent("allowed_token_ids"))
  }

  private static func biases(_ record: JSONObject) throws(CheckpointError) -> [Int32: Float] {
    var biases: [Int32: Float] = [:]
    for value in try record.arrayIfPresent("logit_bias") ?? [] {
      guard case .array(let pair) = value, pair.count == 2, case .integer(let token) = pair[0],
        let token = Int32(exactly: token), let bias = pair[1].double
      else { throw record.invalid("logit_bias", expected: "pairs of token id and number") }
      biases[token] = Float(bias)
    }
    return biases
  }
}

extension JSONValue {
  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
