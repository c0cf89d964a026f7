import Apus
import ApusEngine
import ApusKernels
import Foundation
import Testing

/// The embedded model from prompt to text, against what Hugging Face transformers computes from the same files
/// in float32 (`Sources/ApusStories/Training/make_reference.py`).
@Suite struct EmbeddedModelTests {
  private struct Reference: Decodable {
    struct Case: Decodable {
      let prompt: String
      let ids: [Int32]
      let greedy: [Int32]
    }
    let cases: [Case]
  }

  private func reference() throws -> Reference {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = tests.appending(path: "ApusModelTests/Fixtures/stories-reference.json")
    return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
  }

  @Test func continuesPromptsAsTransformersDoes() async throws {
    let model = try LanguageModel.load(.embedded, options: LoadOptions(weights: .f32, precise: true))
    let cases = try reference().cases
    let completions = try await model.batchGenerate(prompts: cases.map(\.prompt), maxSequenceLength: 128)
    for (expected, completion) in zip(cases, completions) {
      #expect(completion.promptTokenIDs == expected.ids)
      // The reference goes on after the end token; a completion stops there.
      let end = expected.greedy.firstIndex { model.eosTokenIDs.contains($0) } ?? expected.greedy.count - 1
      #expect(completion.tokenIDs.prefix(expected.greedy.count) == expected.greedy[...end])
    }
  }

  @Test func endsItsAnswersItself() async throws {
    let model = try LanguageModel.load(.embedded)
    let prompts = ["Tell me about the fox", "Tell me about the violin", "Tell me about the sea"]
    for completion in try await model.batchGenerate(prompts: prompts, maxSequenceLength: 512) {
      #expect(completion.finishReason == .stop(token: try #require(model.eosTokenIDs.first)))
      #expect(completion.text.hasSuffix("."))
    }
  }
}
