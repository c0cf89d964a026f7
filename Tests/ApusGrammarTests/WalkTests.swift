@testable import ApusGrammar
import Foundation
import TestSupport
import Testing

/// Random tokens under masks, on real vocabularies. What they spell was shown to a validator of other people:
/// the fixture's texts are the ones made here, in the same order, and were accepted.
@Suite struct WalkTests {
  private static func walks(_ vocabulary: TokenVocabulary, count: Int, seed: UInt64) throws -> [Fixtures.Walk]
  {
    var walks: [Fixtures.Walk] = []
    for item in Fixtures.schemas where !Fixtures.wanders(item.name) {
      let grammar = try CompiledGrammar(.json(schema: item.schema), vocabulary: vocabulary)
      var random = SplitMix64(seed: seed)
      for _ in 0..<count {
        let bytes = try #require(grammar.randomText(&random), "\(item.name): a dead end, or no end")
        let text = try #require(String(validating: bytes, as: UTF8.self), "\(item.name): half a character")
        walks.append(Fixtures.Walk(name: item.name, text: text))
      }
    }
    return walks
  }

  @Test func endInTextsThatTheSchemasValidatorAccepted() throws {
    let walks = try Self.walks(Vocabularies.stories.vocabulary, count: 5, seed: 1)
    if let path = ProcessInfo.processInfo.environment["APUS_WRITE_WALKS"] {
      try JSONEncoder().encode(walks).write(to: URL(filePath: path))
      return
    }
    #expect(walks == Fixtures.walks)
  }

  @Test(.enabled(if: SharedData.folder != nil, "no shared data"), arguments: ["stories260K-hf", "llama3"])
  func endInJSONOnRealVocabularies(folder: String) throws {
    guard let (vocabulary, _) = try Vocabularies.shared(folder) else { return }
    for walk in try Self.walks(vocabulary, count: folder == "llama3" ? 1 : 5, seed: 2) {
      #expect(throws: Never.self, "\(walk)") {
        try JSONSerialization.jsonObject(with: Data(walk.text.utf8), options: .fragmentsAllowed)
      }
    }
  }
}
