/// What a caller asks of the engine: continue these tokens, sampled so.
public struct GenerationRequest: Sendable, Equatable {
  /// Tokens to continue, at least one, at most the model's context length.
  public var promptTokens: [Int32]
  public var sampling: SamplingParameters

  public init(promptTokens: [Int32], sampling: SamplingParameters = SamplingParameters()) {
    self.promptTokens = promptTokens
    self.sampling = sampling
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
    try sampling.validate(vocabularySize: vocabularySize)
  }

  /// Tokens that may be generated. The last one is returned but never written to the cache, so a prompt that
  /// fills the context still gets one.
  package func maxTokens(contextLength: Int) -> Int {
    min(sampling.maxTokens ?? .max, contextLength - promptTokens.count + 1)
  }
}
