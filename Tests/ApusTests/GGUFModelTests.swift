import Apus
import ApusEngine
import ApusModel
import Foundation
import TestSupport
import Testing

/// A GGUF file wherever a model is named.
@Suite struct GGUFModelTests {
  private static let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "ApusModelTests/Fixtures")
  private static let letters = models.appending(path: "gguf/qwen2-bf16-letters.gguf")

  /// The checkpoint and the tokenizer that `letters` was made of, in a folder.
  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: Self.models.appending(path: "qwen2-bf16"), to: folder)
    try FileManager.default.copyItem(
      at: Self.models.appending(path: "gguf/letters.json"), to: folder.appending(path: "tokenizer.json"))
    return folder
  }

  @Test func isNamedByItsEnding() throws {
    #expect(ModelLocation("models/a.gguf") == .gguf(URL(filePath: "models/a.gguf")))
    #expect(ModelLocation("models/A.GGUF") == .gguf(URL(filePath: "models/A.GGUF")))
    // A folder may be called anything.
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString).gguf")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(ModelLocation(folder.path) == .folder(URL(filePath: folder.path)))
  }

  @Test func generatesWhatItsFolderGenerates() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try LanguageModel.load(.gguf(Self.letters))
    let reference = try LanguageModel.load(.folder(folder))
    #expect(file.name == "qwen2-bf16-letters")
    #expect(file.eosTokenIDs == reference.eosTokenIDs && file.eosTokenIDs.count == 2)
    #expect(file.weights.types == reference.weights.types)
    let prompts = ["hello world", "a", "\u{E9}</s>b", ""]
    for sampling in [SamplingParameters.greedy(maxTokens: 24), SamplingParameters(seed: 3, maxTokens: 24)] {
      let found = try await file.batchGenerate(prompts: prompts, maxSequenceLength: 64, sampling: sampling)
      let expected = try await reference.batchGenerate(
        prompts: prompts, maxSequenceLength: 64, sampling: sampling)
      #expect(found.map(\.text) == expected.map(\.text))
      #expect(found.map(\.tokens) == expected.map(\.tokens))
      #expect(found.map(\.promptTokenIDs) == expected.map(\.promptTokenIDs))
      #expect(found.contains { !$0.text.isEmpty } && found.contains { !$0.tokenIDs.isEmpty })
    }
  }

  @Test func namesTheFileThatCannotBeLoaded() throws {
    let missing = #expect(throws: LanguageModelError.self) { try LanguageModel.load("/no/such/model.gguf") }
    #expect(missing?.description.hasPrefix("/no/such/model.gguf: not found") == true)
    let mute = Self.models.appending(path: "gguf/qwen3.gguf")
    let error = #expect(throws: LanguageModelError.self) { try LanguageModel.load(.gguf(mute)) }
    #expect(error?.description.contains("qwen3.gguf: field tokenizer.ggml.model is missing") == true)
  }

  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func tellsTheStoriesOfTheSameModelsFolder() async throws {
    let folder = try #require(SharedData.folder)
    let prompts = ["Once upon a time", "Lily went to the", "One day", "The little dog"]
    let file = try LanguageModel.load(.gguf(folder.appending(path: "stories260K.gguf")))
    let reference = try LanguageModel.load(.folder(folder.appending(path: "stories260K-hf")))
    let found = try await file.batchGenerate(prompts: prompts, maxSequenceLength: 64)
    let expected = try await reference.batchGenerate(prompts: prompts, maxSequenceLength: 64)
    #expect(found.map(\.text) == expected.map(\.text))
    #expect(found.map(\.tokens) == expected.map(\.tokens))
    #expect(found[0].text.hasPrefix(", there was a little girl named Lily."))
  }
}
