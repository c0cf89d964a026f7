import Apus
import ApusEngine
import ApusGrammar
import Foundation
import Testing

/// Formats of output on the embedded model, from text to text.
@Suite struct OutputFormatTests {
  private static let schema = """
    {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12},
     "age": {"type": "integer", "minimum": 1, "maximum": 99}, "friend": {"enum": ["fox", "owl"]}},
     "required": ["name", "age", "friend"]}
    """
  private static let formats: [OutputFormat] = [
    .json(schema: schema), .regex(" said \"[A-Z][a-z ]{3,20}\\."), .choice([" ran home", " slept"]),
    .jsonObject,
  ]

  private func text(_ stream: TextStream) async throws -> String {
    var text = ""
    for try await piece in stream { text += piece }
    return text
  }

  @Test func textIsWhatTheFormatSays() async throws {
    let model = try LanguageModel.load(.embedded)
    let generator = try TextGenerator(model, options: GeneratorOptions(batchSize: 4, maxSequenceLength: 128))
    let sampling = SamplingParameters(temperature: 1, seed: 5, maxTokens: 100)
    let json = try await text(
      generator.generate("A boy", sampling: sampling, format: .json(schema: Self.schema)))
    let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect((1...99).contains(try #require(object["age"] as? Int)))
    #expect(["fox", "owl"].contains(try #require(object["friend"] as? String)))
    #expect(try #require(object["name"] as? String).unicodeScalars.count <= 12)
    let choice = try await text(generator.generate("The dog", sampling: sampling, format: Self.formats[2]))
    #expect([" ran home", " slept"].contains(choice))
  }

  /// A constraint is a request's own: whoever runs beside it, and whichever constraint, changes nothing.
  @Test func tokensAreTheSameAloneAndBesideOthers() async throws {
    let model = try LanguageModel.load(.embedded)
    let options = GeneratorOptions(batchSize: 3, maxSequenceLength: 96)
    var requests: [GenerationRequest] = []
    for index in 0..<8 {
      let sampling = SamplingParameters(temperature: 0.8, seed: UInt64(index), maxTokens: 40)
      var request = GenerationRequest(
        promptTokens: try model.encode("Once there was a \(index)"), sampling: sampling)
      // Every other one shares its compiled constraint; the last ones have none.
      if index < 6 { request.constraint = try model.constraints.constraint(for: Self.formats[index % 4]) }
      requests.append(request)
    }
    let together = try await TextGenerator(model, options: options).run(requests)
    for (index, request) in requests.enumerated() {
      let alone = try await TextGenerator(model, options: options).run([request])
      #expect(alone[0].tokenIDs == together[index].tokenIDs, "request \(index)")
      #expect(alone[0].finishReason == together[index].finishReason)
    }
  }

  @Test func refusalsNameWhatIsWrong() async throws {
    let model = try LanguageModel.load(.embedded)
    let generator = try TextGenerator(model, options: GeneratorOptions(batchSize: 1, maxSequenceLength: 64))
    let expected = GrammarError.unsupportedKeyword(pointer: "#/not", reason: "not is not supported")
    await #expect(throws: LanguageModelError.constraint(expected)) {
      _ = try await generator.generate("A", format: .json(schema: "{\"not\": {}}"))
    }
  }
}
