/// How one request's tokens are drawn and when it stops. Names are vLLM's.
///
/// A token is drawn from the model's logits in this order: vLLM's up to the penalties, then Hugging Face
/// transformers'.
///
/// 1. What may not come gets the logit -infinity: all but `allowedTokenIDs`, what the request's constraint
///    forbids, and, before `minTokens` are generated, the tokens that would end the request.
/// 2. `logitBias` is added.
/// 3. `repetitionPenalty`, then `frequencyPenalty` and `presencePenalty`.
/// 4. `temperature` divides the logits; 0 takes the largest and ends here.
/// 5. `topK` keeps the k largest.
/// 6. `topP` keeps, of these, the fewest largest whose probabilities, normalised over step 5's, reach p.
/// 7. `minP` drops what is less likely than minP times the most likely token.
/// 8. One token is drawn from the rest by its renormalised probability.
///
/// Equal logits count as larger the lower their token id. Steps 2 to 7 leave at least one token; where step 1
/// leaves none, the request fails.
public struct SamplingParameters: Sendable, Equatable {
  /// 0 is greedy. Finite and not negative.
  public var temperature: Float
  /// 0 is off.
  public var topK: Int
  /// In (0, 1]; 1 is off. Nucleus sampling: Holtzman et al., 2020.
  public var topP: Float
  /// In 0...1; 0 is off. Nguyen et al., 2024.
  public var minP: Float
  /// Randomness depends on this and on a token's position, on nothing else. Nil: the engine draws one at
  /// submission and reports it in `Usage`.
  public var seed: UInt64?
  /// Tokens to generate at most, at least 1. Nil: until the context is full.
  public var maxTokens: Int?
  /// Tokens that end the request, beside the model's end-of-sequence tokens. The token itself is delivered.
  public var stopTokenIDs: [Int32]
  /// Goes on past the model's end-of-sequence tokens; `stopTokenIDs` still stop.
  public var ignoreEOS: Bool
  /// Nil: none. 0: the generated token's log-probability. n: those of the n most likely tokens as well, at
  /// most `logprobsMax`. They are of the model's own distribution, before all the steps above.
  public var logprobs: Int?
  /// Nil: none. The same for each prompt token but the first, which nothing predicts.
  public var promptLogprobs: Int?
  /// Until so many tokens are generated, those that end the request have no probability. At most `maxTokens`.
  public var minTokens: Int
  /// Added to these tokens' logits, each in -100...100.
  public var logitBias: [Int32: Float]
  /// Divides the logits of tokens of the prompt and of the output where they are positive, multiplies them
  /// where negative. Finite, more than 0; 1 is off. Keskar et al., 2019.
  public var repetitionPenalty: Float
  /// Taken from the logits of tokens that the output holds, as OpenAI's. In -2...2; 0 is off.
  public var presencePenalty: Float
  /// The same, times how often the output holds the token. In -2...2; 0 is off.
  public var frequencyPenalty: Float
  /// The only tokens that may come, at least one. They must allow a stop token if one is to come. Nil: all.
  public var allowedTokenIDs: [Int32]?

  public init(
    temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0, seed: UInt64? = nil,
    maxTokens: Int? = nil, stopTokenIDs: [Int32] = [], ignoreEOS: Bool = false, logprobs: Int? = nil,
    promptLogprobs: Int? = nil, minTokens: Int = 0, logitBias: [Int32: Float] = [:],
    repetitionPenalty: Float = 1, presencePenalty: Float = 0, frequencyPenalty: Float = 0,
    allowedTokenIDs: [Int32]? = nil
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.seed = seed
    self.maxTokens = maxTokens
    self.stopTokenIDs = stopTokenIDs
    self.ignoreEOS = ignoreEOS
    self.logprobs = logprobs
    self.promptLogprobs = promptLogprobs
    self.minTokens = minTokens
    self.logitBias = logitBias
    self.repetitionPenalty = repetitionPenalty
    self.presencePenalty = presencePenalty
    self.frequencyPenalty = frequencyPenalty
    self.allowedTokenIDs = allowedTokenIDs
  }

  /// Always the most likely token.
  public static func greedy(maxTokens: Int? = nil, logprobs: Int? = nil) -> SamplingParameters {
    SamplingParameters(temperature: 0, maxTokens: maxTokens, logprobs: logprobs)
  }

  /// Most `logprobs` a request may ask for, as in OpenAI's and vLLM's interfaces.
  public static let logprobsMax = 20

  /// - Throws: `AdmissionError.invalidParameter` or `.tokenOutsideVocabulary`. Of several faults it names the
  ///   same one every time.
  public func validate(vocabularySize: Int) throws(AdmissionError) {
    try check(
      temperature >= 0 && temperature.isFinite, "temperature", temperature,
      "a finite number that is not negative")
    try check(topK >= 0, "topK", topK, "0 (off) or more")
    try check(topP > 0 && topP <= 1, "topP", topP, "more than 0 and at most 1")
    try check(minP >= 0 && minP <= 1, "minP", minP, "a number in 0...1")
    try check(
      repetitionPenalty > 0 && repetitionPenalty.isFinite, "repetitionPenalty", repetitionPenalty,
      "a finite number more than 0")
    for (field, penalty) in [("presencePenalty", presencePenalty), ("frequencyPenalty", frequencyPenalty)] {
      try check(penalty >= -2 && penalty <= 2, field, penalty, "a number in -2...2")
    }
    try check(minTokens >= 0, "minTokens", minTokens, "0 (off) or more")
    if let maxTokens {
      try check(maxTokens >= 1, "maxTokens", maxTokens, "at least 1")
      try check(minTokens <= maxTokens, "minTokens", minTokens, "at most maxTokens, \(maxTokens)")
    }
    for (field, count) in [("logprobs", logprobs), ("promptLogprobs", promptLogprobs)] {
      guard let count else { continue }
      try check((0...Self.logprobsMax).contains(count), field, count, "0...\(Self.logprobsMax)")
    }
    try validate(stopTokenIDs, "stopTokenIDs", vocabularySize)
    if let allowedTokenIDs {
      try check(!allowedTokenIDs.isEmpty, "allowedTokenIDs", allowedTokenIDs, "at least one token id")
      try validate(allowedTokenIDs, "allowedTokenIDs", vocabularySize)
    }
    // Ascending, so that the fault that is named does not depend on the order of hashes.
    for (token, bias) in logitBias.sorted(by: { $0.key < $1.key }) {
      try check(
        token >= 0 && Int(token) < vocabularySize, "logitBias", "for token \(token)",
        "token ids in 0..<\(vocabularySize)")
      try check(bias >= -100 && bias <= 100, "logitBias[\(token)]", bias, "a number in -100...100")
    }
  }

  private func check(
    _ holds: Bool, _ field: String, _ value: Any, _ expected: String
  ) throws(AdmissionError) {
    guard holds else { throw .invalidParameter(field: field, value: "\(value)", expected: expected) }
  }

  private func validate(
    _ tokens: [Int32], _ field: String, _ vocabularySize: Int
  ) throws(AdmissionError) {
    for (index, token) in tokens.enumerated() where token < 0 || Int(token) >= vocabularySize {
      throw .tokenOutsideVocabulary(
        field: field, index: index, token: token, vocabularySize: vocabularySize)
    }
  }
}
