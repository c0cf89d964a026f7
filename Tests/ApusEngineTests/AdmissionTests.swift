import ApusEngine
import Testing

struct AdmissionTests {
  private func refusal(
    prompt: [Int32] = [1], vocabulary: Int = 10, context: Int = 8, _ sampling: SamplingParameters = .init()
  ) -> AdmissionError? {
    do {
      try GenerationRequest(promptTokens: prompt, sampling: sampling)
        .validate(vocabularySize: vocabulary, contextLength: context)
      return nil
    } catch { return error }
  }

  private func refusedField(_ sampling: SamplingParameters) -> String? {
    switch refusal(sampling) {
    case .invalidParameter(let field, _, _): field
    case .tokenOutsideVocabulary(let field, _, _, _): field
    default: nil
    }
  }

  @Test func refusesAnEmptyPromptByName() {
    #expect(refusal(prompt: []) == .emptyPrompt)
  }

  @Test func refusesAPromptLongerThanTheContextByName() {
    #expect(refusal(prompt: Array(repeating: 1, count: 8)) == nil)
    #expect(
      refusal(prompt: Array(repeating: 1, count: 9)) == .promptTooLong(tokens: 9, contextLength: 8))
  }

  @Test func refusesTokensOutsideTheVocabularyByName() {
    #expect(
      refusal(prompt: [1, 10])
        == .tokenOutsideVocabulary(field: "promptTokens", index: 1, token: 10, vocabularySize: 10))
    #expect(
      refusal(prompt: [-1])
        == .tokenOutsideVocabulary(field: "promptTokens", index: 0, token: -1, vocabularySize: 10))
    #expect(refusedField(SamplingParameters(stopTokenIDs: [3, .max])) == "stopTokenIDs")
  }

  @Test func refusesParametersOutsideTheirRangeByName() {
    for temperature in [-0.1, -.infinity, .infinity, .nan] as [Float] {
      #expect(refusedField(SamplingParameters(temperature: temperature)) == "temperature")
    }
    for topP in [0, -1, 1.01, .nan] as [Float] {
      #expect(refusedField(SamplingParameters(topP: topP)) == "topP")
    }
    for minP in [-0.01, 1.01, .nan] as [Float] {
      #expect(refusedField(SamplingParameters(minP: minP)) == "minP")
    }
    #expect(refusedField(SamplingParameters(topK: -1)) == "topK")
    #expect(refusedField(SamplingParameters(maxTokens: 0)) == "maxTokens")
    #expect(refusedField(SamplingParameters(maxTokens: .min)) == "maxTokens")
    for logprobs in [-1, 21] { #expect(refusedField(SamplingParameters(logprobs: logprobs)) == "logprobs") }
  }

  @Test func refusesWhatChangesLogitsOutsideItsRangeByName() {
    for penalty in [0, -1, .infinity, .nan] as [Float] {
      #expect(refusedField(SamplingParameters(repetitionPenalty: penalty)) == "repetitionPenalty")
    }
    for penalty in [-2.01, 2.01, .infinity, .nan] as [Float] {
      #expect(refusedField(SamplingParameters(presencePenalty: penalty)) == "presencePenalty")
      #expect(refusedField(SamplingParameters(frequencyPenalty: penalty)) == "frequencyPenalty")
    }
    #expect(refusedField(SamplingParameters(minTokens: -1)) == "minTokens")
    #expect(refusedField(SamplingParameters(maxTokens: 3, minTokens: 4)) == "minTokens")
    for count in [-1, 21] {
      #expect(refusedField(SamplingParameters(promptLogprobs: count)) == "promptLogprobs")
    }
    #expect(refusedField(SamplingParameters(allowedTokenIDs: [])) == "allowedTokenIDs")
    #expect(refusedField(SamplingParameters(allowedTokenIDs: [1, 10])) == "allowedTokenIDs")
    for bias in [-100.1, 100.1, .infinity, .nan] as [Float] {
      #expect(refusedField(SamplingParameters(logitBias: [3: bias])) == "logitBias[3]")
    }
    #expect(refusedField(SamplingParameters(logitBias: [-1: 1])) == "logitBias")
  }

  @Test func namesTheLowestOfSeveralFaultyBiases() {
    var bias: [Int32: Float] = [:]
    for token in 10..<60 as Range<Int32> { bias[token] = 1 }
    #expect(
      refusal(SamplingParameters(logitBias: bias))?.description
        == "logitBias is for token 10, expected token ids in 0..<10")
    for token in 3..<9 as Range<Int32> { bias[token] = 101 }
    #expect(
      refusal(SamplingParameters(logitBias: bias))?.description
        == "logitBias[3] is 101.0, expected a number in -100...100")
  }

  @Test func saysTheValueAndWhatWasExpected() {
    #expect(
      refusal(SamplingParameters(topP: 2))?.description == "topP is 2.0, expected more than 0 and at most 1")
  }

  @Test func takesTheLimitsOfTheRanges() {
    #expect(refusal(SamplingParameters(temperature: 0, topK: .max, topP: 1, minP: 1, logprobs: 20)) == nil)
    #expect(refusal(SamplingParameters(topP: .leastNonzeroMagnitude, maxTokens: .max)) == nil)
    #expect(
      refusal(
        SamplingParameters(
          maxTokens: 3, promptLogprobs: 20, minTokens: 3, logitBias: [0: -100, 9: 100],
          repetitionPenalty: .greatestFiniteMagnitude, presencePenalty: -2, frequencyPenalty: 2,
          allowedTokenIDs: [0, 9])) == nil)
  }

  @Test func thePromptAndAllButTheLastTokenFitTheContext() {
    let request = GenerationRequest(promptTokens: Array(repeating: 1, count: 8))
    #expect(request.maxTokens(contextLength: 8) == 1)
    #expect(request.maxTokens(contextLength: 10) == 3)
    let limited = GenerationRequest(promptTokens: [1], sampling: .greedy(maxTokens: 2))
    #expect(limited.maxTokens(contextLength: 8) == 2)
  }
}
