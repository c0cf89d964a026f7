import Foundation
import Testing

@Suite struct GenerateEndToEndTests {
  private struct Line: Decodable {
    struct Token: Decodable {
      let id: Int
      let logprob: Float
      let top_logprobs: [Alternative]
    }
    struct Alternative: Decodable, Equatable {
      let id: Int
      let logprob: Float
    }
    struct Usage: Decodable {
      let prompt_tokens, completion_tokens, total_tokens: Int
    }
    let index: Int
    let prompt, text, error: String?
    let prompt_ids, ids: [Int]
    let finish_reason: String
    let logprobs: [Token]?
    let usage: Usage
  }

  private func decode(_ run: ApusBinary.Run) throws -> [Line] {
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.error == "")
    return try run.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  @Test(arguments: ["qwen2-tied", "llama-sharded", "qwen3", "mistral-window"])
  func continuesIDsAsTransformersDoes(name: String) throws {
    let fixture = try ModelFixture(name)
    let run = try ApusBinary.run(
      "generate", fixture.path, "--ids", fixture.promptList, "-n", "64", "--ignore-eos", "--weights", "f32",
      "--output", "ids")
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.output == "[" + fixture.greedy.map(String.init).joined(separator: ",") + "]\n")
  }

  @Test func printsEverythingAsJSONInPromptOrder() throws {
    let fixture = try ModelFixture("qwen2-tied")
    let lines = try decode(
      ApusBinary.run(
        "generate", fixture.path, "--ids", fixture.promptList, "--ids", "5,6", "--prompts", "-", "-n", "3",
        "--ignore-eos", "--logprobs", "2", "--weights", "f32", "--output", "json", "--batch-size", "2",
        input: #"{"ids": [9, 9, 9], "max_tokens": 1, "stop_token_ids": [1], "logprobs": 0}"#))
    #expect(lines.map(\.index) == [0, 1, 2])
    #expect(lines[0].prompt_ids == fixture.prompt)
    #expect(lines[0].ids == Array(fixture.greedy.prefix(3)))
    #expect(lines[0].finish_reason == "length")
    #expect(lines.allSatisfy { $0.text == nil && $0.prompt == nil && $0.error == nil })
    #expect(lines[0].usage.total_tokens == fixture.prompt.count + 3)
    let logprobs = try #require(lines[0].logprobs)
    #expect(logprobs.map(\.id) == lines[0].ids)
    for token in logprobs {
      #expect(token.top_logprobs.count == 2)
      #expect(token.top_logprobs.first == Line.Alternative(id: token.id, logprob: token.logprob))
    }
    #expect(lines[2].ids.count == 1)
    #expect(lines[2].logprobs?.map(\.top_logprobs) == [[]])
  }

  @Test func keepsTheOrderOfJSONKeys() throws {
    let fixture = try ModelFixture("qwen2-tied")
    let run = try ApusBinary.run(
      "generate", fixture.path, "--ids", "1,2", "-n", "1", "--seed", "7", "--output", "json")
    let line = try #require(run.lines.first)
    let keys = [
      "index", "prompt", "prompt_ids", "ids", "text", "finish_reason", "error", "logprobs", "seed", "usage",
      "timing",
    ]
    let places = keys.map { line.range(of: "\"\($0)\":")?.lowerBound }
    #expect(places.allSatisfy { $0 != nil })
    #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    #expect(line.contains("\"seed\":7,"))
  }

  @Test func givesARequestTheSameTokensInAnyCompany() throws {
    let path = try ModelFixture("llama3").path
    let alone = try decode(
      ApusBinary.run(
        "generate", path, "--ids", "7,8,9", "-n", "20", "--temperature", "1", "--seed", "3", "--output",
        "json"))
    let together = try decode(
      ApusBinary.run(
        "generate", path, "--ids", "1", "--ids", "2,3,4,5", "--ids", "7,8,9", "-n", "20", "--temperature",
        "1",
        "--seed", "3", "--prefill-step", "2", "--batch-size", "3", "--output", "json"))
    #expect(together[2].ids == alone[0].ids)
  }

  @Test func stopsAtStopTokensAndLeavesThemOutOfTheText() throws {
    let fixture = try ModelFixture("qwen2-tied")
    let folder = try fixture.copy()
    try folder.write("tokenizer.json", LettersTokenizer.json)
    // Greedy begins with 18, 70, 25: "q", an id beyond the tokenizer, "x".
    let stop = 25
    let lines = try decode(
      ApusBinary.run(
        "generate", folder.path, "--ids", fixture.promptList, "-n", "64", "--ignore-eos", "--weights", "f32",
        "--stop-token-ids", "\(stop)", "--output", "json"))
    let end = try #require(fixture.greedy.firstIndex(of: stop))
    #expect(lines[0].ids == Array(fixture.greedy[...end]))
    #expect(lines[0].finish_reason == "stop")
    #expect(lines[0].text == "q")
  }

  @Test func turnsTextIntoTextWithATokenizer() throws {
    let folder = try ModelFixture("qwen2-tied").copy()
    try folder.write("tokenizer.json", LettersTokenizer.json)
    let json = try decode(
      ApusBinary.run(
        "generate", folder.path, "--prompt", "hello world", "-n", "12", "--ignore-eos", "--output", "json"))
    #expect(json[0].prompt == "hello world")
    #expect(json[0].prompt_ids == [0, 36, 38, 19, 13, 5])
    let text = try #require(json[0].text)
    let decoded = try ApusBinary.run(
      "detokenize", folder.path, json[0].ids.filter { $0 < 39 }.map(String.init).joined(separator: ","))
    #expect(decoded.lines == [jsonString(text)])

    let streamed = try ApusBinary.run(
      "generate", folder.path, "--prompt", "hello world", "-n", "12", "--ignore-eos")
    #expect(streamed.output == text + "\n")
    let two = try ApusBinary.run(
      "generate", folder.path, "--prompt", "hello world", "--prompt", "a", "-n", "12", "--ignore-eos")
    #expect(two.output.hasPrefix("[1/2] hello world\n\(text)\n\n[2/2] a\n"))
  }

  private func jsonString(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try! encoder.encode(text), as: UTF8.self)
  }
}
