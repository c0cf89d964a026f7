/// How one request's tokens are drawn and when it stops. Names are vLLM's.
///
/// A token is drawn from the model's logits in this order, which is Hugging Face transformers':
///
/// 1. `temperature` divides the logits; 0 takes the largest and ends here.
/// 2. `topK` keeps the k largest.
/// 3. `topP` keeps, of these, the fewest largest whose probabilities, normalised over step 2's, reach p.
/// 4. `minP` drops what is less likely than minP times the most likely token.
/// 5. One token is drawn from the rest by its renormalised probability.
///
/// Equal logits count as larger the lower their token id. At least one token always remains.
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
  /// most `logprobsMax`. They are of the model's own distribution, before temperature and filters.
  public var logprobs: Int?

  public init(
    temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0, seed: UInt64? = nil,
    maxTokens: Int? = nil, stopTokenIDs: [Int32] = [], ignoreEOS: Bool = false, logprobs: Int? = nil
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
  }

  /// Always the most likely token.
  public static func greedy(maxTokens: Int? = nil, logprobs: Int? = nil) -> SamplingParameters {
    SamplingParameters(temperature: 0, maxTokens: maxTokens, logprobs: logprobs)
  }

  /// Most `logprobs` a request may ask for, as in OpenAI's and vLLM's interfaces.
  public static let logprobsMax = 20

  /// - Throws: `AdmissionError.invalidParameter` or `.tokenOutsideVocabulary`.
  public func validate(vocabularySize: Int) throws(AdmissionError) {
    func check(_ holds: Bool, _ field: String, _ value: Any, _ expected: String) throws(AdmissionError) {
      guard holds else {
        throw .invalidParameter(field: field, value: "\(value)", expected: expected)
      }
    }
    try check(
      temperature >= 0 && temperature.isFinite, "temperature", temperature,
      "a finite number that is not negative")
    try check(topK >= 0, "topK", topK, "0 (off) or more")
    try check(topP > 0 && topP <= 1, "topP", topP, "more than 0 and at most 1")
    try check(minP >= 0 && minP <= 1, "minP", minP, "a number in 0...1")
    if let maxTokens { try check(maxTokens >= 1, "maxTokens", maxTokens, "at least 1") }
    if let logprobs {
      try check(
        (0...Self.logprobsMax).contains(logprobs), "logprobs", logprobs, "0...\(Self.logprobsMax)")
    }
    for (index, token) in stopTokenIDs.enumerated() where token < 0 || Int(token) >= vocabularySize {
      throw .tokenOutsideVocabulary(
        field: "stopTokenIDs", index: index, token: token, vocabularySize: vocabularySize)
    }
  }
}
