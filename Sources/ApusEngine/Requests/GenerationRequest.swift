/// What a caller asks of the engine: continue these tokens, sampled so, within these limits.
public struct GenerationRequest: Sendable {
  /// Tokens to continue, at least one, at most the model's context length.
  public var promptTokens: [Int32]
  public var sampling: SamplingParameters
  /// Lower is served first by `PriorityPolicy`, and preempted last by all. In `priorityRange`.
  public var priority: Int
  /// Whose request it is, for `FairSharePolicy`.
  public var tenant: String
  /// Ends the request if it has no slot after so long.
  public var queueTimeout: Duration?
  /// Ends the request if it is not done after so long.
  public var timeout: Duration?
  /// Ends the request by its output, beyond stop tokens.
  public var stopCondition: (any StopCondition)?
  /// Restricts the output.
  public var constraint: (any TokenConstraint)?

  public static let priorityRange = -1000...1000

  public init(
    promptTokens: [Int32], sampling: SamplingParameters = SamplingParameters(), priority: Int = 0,
    tenant: String = "", queueTimeout: Duration? = nil, timeout: Duration? = nil,
    stopCondition: (any StopCondition)? = nil, constraint: (any TokenConstraint)? = nil
  ) {
    self.promptTokens = promptTokens
    self.sampling = sampling
    self.priority = priority
    self.tenant = tenant
    self.queueTimeout = queueTimeout
    self.timeout = timeout
    self.stopCondition = stopCondition
    self.constraint = constraint
  }

  /// Refuses what cannot be run, naming what is wrong and what was expected.
  package func validate(vocabularySize: Int, contextLength: Int) throws(AdmissionError) {
    guard !promptTokens.isEmpty else { throw .emptyPrompt }
    guard promptTokens.count <= contextLength else {
      throw .promptTooLong(tokens: promptTokens.count, contextLength: contextLength)
    }
    for (index, token) in promptTokens.enumerated() where token < 0 || Int(token) >= vocabularySize {
      throw .tokenOutsideVocabulary(
        field: "promptTokens", index: index, token: token, vocabularySize: vocabularySize)
    }
    guard Self.priorityRange.contains(priority) else {
      let range = Self.priorityRange
      throw .invalidParameter(
        field: "priority", value: "\(priority)", expected: "\(range.lowerBound)...\(range.upperBound)")
    }
    for (field, limit) in [("queueTimeout", queueTimeout), ("timeout", timeout)] {
      guard let limit, limit <= .zero else { continue }
      throw .invalidParameter(field: field, value: "\(limit)", expected: "more than no time")
    }
    try sampling.validate(vocabularySize: vocabularySize)
  }

  /// Tokens that may be generated. The last one is returned but never written to the cache, so a prompt that
  /// fills the context still gets one.
  package func maxTokens(contextLength: Int) -> Int {
    min(sampling.maxTokens ?? .max, contextLength - promptTokens.count + 1)
  }
}
