import ApusCheckpoint
package import ApusEngine

/// What requests for completions and for chat have in common: how tokens are drawn, when a text ends, and how
/// it is sent. Names are OpenAI's and, beyond it, vLLM's.
package struct GenerationFields: Sendable {
  package var model: String?
  /// All but `logprobs`, `promptLogprobs` and `maxTokens`, which the two interfaces spell differently.
  package var sampling: SamplingParameters
  /// Strings that end a text.
  package var stop: [String]
  package var includesStopString: Bool
  package var skipsSpecialTokens: Bool
  /// Texts for each prompt.
  package var choiceCount: Int
  package var priority: Int
  /// Whose request it is, as the client says.
  package var user: String
  package var outputFormat: RequestedFormat?
  package var isStreamed: Bool
  /// A last chunk of a stream tells what the request took.
  package var includesUsage: Bool

  /// Texts for one prompt, at most.
  package static let choiceCountMax = 128
}

extension GenerationFields {
  /// Fields that are read here.
  static let names: Set<String> = [
    "model", "temperature", "top_p", "top_k", "min_p", "seed", "n", "stop", "stream", "stream_options",
    "presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias", "ignore_eos", "min_tokens",
    "priority", "stop_token_ids", "allowed_token_ids", "include_stop_str_in_output", "skip_special_tokens",
    "user", "response_format", "structured_outputs", "guided_json", "guided_regex", "guided_choice",
    "guided_grammar", "json_schema", "grammar",
  ]

  /// Fields that are taken and change nothing: they are about the account, not about the answer.
  package static let harmless: Set<String> = [
    "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "request_id", "cache_prompt",
  ]

  /// Fields of other servers that are taken only with the value that changes nothing.
  static let neutral: [String: [JSONValue]] = [
    "suffix": [.string("")], "use_beam_search": [.boolean(false)],
    "length_penalty": [.integer(1), .number(1)], "early_stopping": [.boolean(false)],
    "detokenize": [.boolean(true)], "spaces_between_special_tokens": [.boolean(true)],
    "typical_p": [.integer(1), .number(1)], "top_n_sigma": [.integer(-1), .number(-1)],
    "xtc_probability": [.integer(0), .number(0)], "dry_multiplier": [.integer(0), .number(0)],
    "dynatemp_range": [.integer(0), .number(0)], "mirostat": [.integer(0)],
    "repeat_penalty": [.integer(1), .number(1)], "modalities": [.array([.string("text")])],
    "return_token_ids": [.boolean(false)], "return_tokens_as_token_ids": [.boolean(false)],
    "timings_per_token": [.boolean(false)],
  ]

  init(_ fields: RequestFields) throws(APIError) {
    for (key, values) in Self.neutral.sorted(by: { $0.key < $1.key }) {
      guard let value = fields[key], !values.contains(value) else { continue }
      throw .invalid(
        fields.name(key), "\(key) is \(value.summary), which is not supported; leave it out",
        code: "unsupported_field")
    }
    model = try fields.string("model")
    choiceCount = try fields.integer("n", in: 1...Self.choiceCountMax) ?? 1
    if let bestOf = try fields.integer("best_of"), bestOf != choiceCount {
      throw fields.invalid("best_of", expected: "the same as n, \(choiceCount)")
    }
    sampling = try Self.sampling(fields)
    stop = try Self.stop(fields)
    includesStopString = try fields.boolean("include_stop_str_in_output") ?? false
    skipsSpecialTokens = try fields.boolean("skip_special_tokens") ?? true
    priority = try fields.integer("priority", in: GenerationRequest.priorityRange) ?? 0
    user = String((try fields.string("user") ?? "").prefix(256))
    outputFormat = try RequestedFormat(fields)
    isStreamed = try fields.boolean("stream") ?? false
    includesUsage = false
    if let options = try fields.object("stream_options") {
      guard isStreamed else {
        throw .invalid("stream_options", "stream_options is set, expected only with stream true")
      }
      try options.refuse(otherThan: ["include_usage", "include_obfuscation"])
      includesUsage = try options.boolean("include_usage") ?? false
    }
  }

  private static func sampling(_ fields: RequestFields) throws(APIError) -> SamplingParameters {
    var sampling = SamplingParameters()
    if let value = try fields.number("temperature") { sampling.temperature = Float(value) }
    if let value = try fields.number("top_p") { sampling.topP = Float(value) }
    // -1 is vLLM's older way to say off.
    if let value = try fields.integer("top_k", in: -1...Int.max) { sampling.topK = max(0, value) }
    if let value = try fields.number("min_p") { sampling.minP = Float(value) }
    if let value = try fields.number("presence_penalty") { sampling.presencePenalty = Float(value) }
    if let value = try fields.number("frequency_penalty") { sampling.frequencyPenalty = Float(value) }
    if let value = try fields.number("repetition_penalty") { sampling.repetitionPenalty = Float(value) }
    // -1 is vLLM's and llama-server's way to say any.
    if let seed = try fields.integer("seed"), seed != -1 { sampling.seed = UInt64(bitPattern: Int64(seed)) }
    sampling.ignoreEOS = try fields.boolean("ignore_eos") ?? false
    sampling.minTokens = try fields.integer("min_tokens", in: 0...Int.max) ?? 0
    sampling.stopTokenIDs = try fields.tokenIDs("stop_token_ids") ?? []
    sampling.allowedTokenIDs = try fields.tokenIDs("allowed_token_ids")
    if let biases = try fields.object("logit_bias") { sampling.logitBias = try logitBias(biases) }
    return sampling
  }

  private static func logitBias(_ biases: RequestFields) throws(APIError) -> [Int32: Float] {
    var result: [Int32: Float] = [:]
    for key in biases.members.keys {
      guard let token = Int32(key), token >= 0 else {
        throw .invalid("logit_bias", "logit_bias has the key \(quoted(key)), expected token ids")
      }
      guard let bias = try biases.number(key) else { throw biases.invalid(key, expected: "a number") }
      result[token] = Float(bias)
    }
    return result
  }

  /// A string, or an array of some.
  private static func stop(_ fields: RequestFields) throws(APIError) -> [String] {
    if case .string(let string)? = fields["stop"] { return [string] }
    guard case .array? = fields["stop"] ?? .array([]) else {
      throw fields.invalid("stop", expected: "a string or an array of strings")
    }
    return try fields.strings("stop") ?? []
  }
}
