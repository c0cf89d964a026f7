import ApusEngine
import ApusServer
import Foundation
import Testing

@testable import ApusCommand

@Suite struct PromptRequestTests {
  private let defaults = SamplingParameters.greedy(maxTokens: 7)

  private func parse(_ line: String) throws -> PromptRequest {
    try PromptRequest(line: line, place: "p.jsonl, line 3", defaults: defaults)
  }

  private func expectError(_ line: String, _ words: String..., location: SourceLocation = #_sourceLocation) {
    do {
      let request = try parse(line)
      Issue.record("\(request)", sourceLocation: location)
    } catch {
      #expect("\(error)".contains("p.jsonl, line 3"), "\(error)", sourceLocation: location)
      for word in words { #expect("\(error)".contains(word), "\(error)", sourceLocation: location) }
    }
  }

  @Test func takesALineThatIsNoObjectForText() throws {
    for line in ["Tell me about the fox", "[1, 2]", "\"quoted\"", " {\"ids\": [1]}", "null"] {
      let request = try parse(line)
      #expect(request.prompt == .text(line))
      #expect(request.sampling == defaults)
    }
  }

  @Test func readsEveryField() throws {
    let request = try parse(
      """
      {"prompt": "a\\n{b}", "max_tokens": 5, "temperature": 0.5, "top_k": 3, "top_p": 0.9, "min_p": 0.1, \
      "seed": 42, "stop_token_ids": [1, 2], "ignore_eos": true, "logprobs": 4}
      """)
    #expect(request.prompt == .text("a\n{b}"))
    #expect(
      request.sampling
        == SamplingParameters(
          temperature: 0.5, topK: 3, topP: 0.9, minP: 0.1, seed: 42, maxTokens: 5, stopTokenIDs: [1, 2],
          ignoreEOS: true, logprobs: 4))
  }

  @Test func keepsTheDefaultsOfWhatALineDoesNotSay() throws {
    let request = try parse(#"{"ids": [1, 2, 3], "top_k": 5, "seed": null}"#)
    var expected = defaults
    expected.topK = 5
    #expect(request.prompt == .ids([1, 2, 3]))
    #expect(request.sampling == expected)
  }

  @Test func refusesUnknownFieldsByName() {
    expectError(#"{"prompt": "a", "max_token": 5}"#, "unknown field", "max_token")
  }

  @Test func refusesALineWithBothOrNeitherPrompt() {
    expectError(#"{"prompt": "a", "ids": [1]}"#, "both")
    expectError(#"{"max_tokens": 5}"#, "neither")
    expectError("{}", "neither")
  }

  @Test func refusesWrongTypesAndMalformedJSON() {
    expectError(#"{"prompt": 5}"#, "prompt", "a string")
    expectError(#"{"ids": 5}"#, "ids", "an array")
    expectError(#"{"ids": [1, 2.5]}"#, "ids", "element 1")
    expectError(#"{"ids": [-1]}"#, "element 0")
    expectError(#"{"ids": [2147483648]}"#, "element 0")
    expectError(#"{"prompt": "a", "seed": -1}"#, "seed")
    expectError(#"{"prompt": "a", "seed": 1e3}"#, "seed")
    expectError(#"{"prompt": "a", "ignore_eos": 1}"#, "ignore_eos")
    expectError(#"{"prompt": "a""#, "malformed JSON")
    expectError(#"{"prompt": "a"} {}"#, "malformed JSON")
    expectError(#"{"prompt": "a", "prompt": "b"}"#, "duplicate")
  }

  @Test func skipsEmptyLinesAndCountsThem() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("p.txt", "one\r\n\n{\"ids\": [1]}\nlast")
    let requests = try PromptRequest.read(path: file.path, defaults: defaults)
    #expect(requests.map(\.prompt) == [.text("one"), .ids([1]), .text("last")])
    #expect(requests.map(\.place) == [1, 3, 4].map { "\(file.path), line \($0)" })
  }

  @Test func namesFieldsAsPromptsFilesSpellThem() {
    #expect("stopTokenIDs".asSnakeCase == "stop_token_ids")
    #expect("topP".asSnakeCase == "top_p")
    #expect("seed".asSnakeCase == "seed")
    let error = AdmissionError.invalidParameter(field: "minP", value: "2", expected: "a number in 0...1")
    #expect(error.commandDescription == "min_p is 2; expected a number in 0...1")
  }
}
