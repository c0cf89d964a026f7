import Apus
import ApusEngine
import Testing

/// The model that comes with the package, as an app gets it.
@Suite struct EmbeddedModelTests {
  private let prompts = [
    "Tell me about the fox", "Tell me about the lighthouse", "Tell me about the rain",
    "Tell me a story about a baker", "Tell me about the owl", "Tell me about bread",
  ]

  @Test func answersAndEndsByItself() async throws {
    let model = try LanguageModel.load(.embedded)
    let completion = try await model.batchGenerate(prompts: [prompts[0]])[0]
    #expect(completion.text.contains("fox"))
    #expect(completion.finishReason == .stop(token: model.eosTokenIDs[0]))
    #expect(!completion.text.contains("<|"))
  }

  @Test func givesEveryPromptTheSameTokensInAnyBatchSize() async throws {
    let model = try LanguageModel.load(.embedded)
    for sampling in [
      SamplingParameters.greedy(maxTokens: 40, logprobs: 2),
      SamplingParameters(temperature: 0.8, topP: 0.95, seed: 5, maxTokens: 40, logprobs: 0),
    ] {
      let alone = try await model.batchGenerate(prompts: prompts, batchSize: 1, sampling: sampling)
      for (batchSize, prefillStep) in [(3, 2), (8, 128)] {
        let together = try await model.batchGenerate(
          prompts: prompts, batchSize: batchSize, prefillStep: prefillStep, sampling: sampling)
        #expect(together.map(\.tokens) == alone.map(\.tokens))
      }
    }
  }
}
