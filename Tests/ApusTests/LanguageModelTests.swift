import Apus
import ApusEngine
import Foundation
import TestSupport
import Testing

/// A real trained model from the shared data folder, and text on both ends.
@Suite(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
struct LanguageModelTests {
  private func stories(_ folder: String = "stories260K-hf") throws -> LanguageModel {
    try LanguageModel.load(.folder(try #require(SharedData.folder).appending(path: folder)))
  }

  private let prompts = [
    "Once upon a time", "Lily went to the", "One day", "The little dog", "Tom and his mother", "It was",
  ]

  @Test func continuesAStoryCoherently() async throws {
    let completions = try await stories().batchGenerate(prompts: prompts, maxSequenceLength: 96)
    #expect(completions[0].text.hasPrefix(", there was a little girl named Lily."))
    #expect(completions.map(\.promptTokenIDs.count).min()! >= 2)
  }

  @Test func givesEveryPromptTheSameTextInAnyBatchSize() async throws {
    let model = try stories()
    let alone = try await model.batchGenerate(prompts: prompts, maxSequenceLength: 64, batchSize: 1)
    for (batchSize, prefillStep) in [(2, 3), (4, 128), (6, 5)] {
      let together = try await model.batchGenerate(
        prompts: prompts, maxSequenceLength: 64, batchSize: batchSize, prefillStep: prefillStep)
      #expect(together.map(\.tokens) == alone.map(\.tokens))
      #expect(together.map(\.text) == alone.map(\.text))
    }
  }

  @Test func streamsTheTextThatABatchGives() async throws {
    let model = try stories()
    let whole = try await model.batchGenerate(prompts: [prompts[0]], maxSequenceLength: 64)[0]
    var pieces: [String] = []
    let stream = try await model.generate(prompts[0], sampling: .greedy(), maxSequenceLength: 64)
    for try await piece in stream { pieces.append(piece) }
    #expect(pieces.count > 10)
    #expect(pieces.joined() == whole.text)
  }

  @Test func reportsEachPromptThatIsDone() async throws {
    let counts = Recorder()
    _ = try await stories().batchGenerate(prompts: prompts, maxSequenceLength: 32, batchSize: 2) {
      counts.append($0.finishedCount)
    }
    #expect(counts.values == Array(1...prompts.count))
  }

  @Test func namesThePromptThatIsTooLong() async throws {
    let model = try stories()
    let long = String(repeating: "Once upon a time ", count: 40)
    let error = await #expect(throws: LanguageModelError.self) {
      try await model.batchGenerate(prompts: [prompts[0], long], maxSequenceLength: 64)
    }
    guard case .prompt(index: 1, .promptTooLong) = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
  }
}

@Suite struct ModelLocationTests {
  @Test func namesTheFolderThatHasNoModel() {
    let error = #expect(throws: LanguageModelError.self) { try LanguageModel.load("/no/such/folder") }
    #expect(error?.description.contains("/no/such/folder") == true)
  }

  @Test func takesEmbeddedForTheEmbeddedModel() {
    #expect(ModelLocation("embedded") == .embedded)
    #expect(ModelLocation("models/a") == .folder(URL(filePath: "models/a")))
  }
}

/// Values appended from anywhere.
private final class Recorder: @unchecked Sendable {
  private let lock = NSLock()
  private var recorded: [Int] = []
  var values: [Int] { lock.withLock { recorded } }
  func append(_ value: Int) { lock.withLock { recorded.append(value) } }
}
