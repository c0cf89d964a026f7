import Foundation
import Testing

@testable import ApusCommand

/// `apus perplexity` as its users call it.
@Suite struct PerplexityEndToEndTests {
  private struct Report: Decodable {
    struct Result: Decodable {
      struct Comparison: Decodable {
        let perplexity_ratio, mean_kl_divergence, nmse, same_top_share: Double
      }
      let weights: String
      let perplexity, perplexity_standard_error, mean_nll, mean_nll_standard_error, tokens_per_second: Double
      let tokens_run: Int
      let against_first: Comparison?
    }
    let tokens, scored_tokens, windows, context, stride: Int
    let results: [Result]
  }

  private struct Reference: Decodable {
    struct Case: Decodable {
      let context, stride: Int
      let meanNLL, perplexity: Double
    }
    let tokenCount: Int
    let cases: [Case]
  }

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .appending(path: "ApusModelTests/Fixtures")
  private static let text = fixtures.appending(path: "perplexity/text.txt")

  private func report(_ arguments: String..., input: String = "") throws -> Report {
    let run = try ApusBinary.run(["perplexity"] + arguments + ["--output", "json"], input: input)
    try #require(run.exitCode == 0, "\(run.error)")
    return try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
  }

  @Test func givesTransformersPerplexity() throws {
    let data = try Data(contentsOf: Self.fixtures.appending(path: "perplexity/likelihoods.json"))
    let reference = try JSONDecoder().decode(Reference.self, from: data)
    for test in reference.cases {
      let found = try report(
        "embedded", "--file", Self.text.path, "--weights", "f32", "--precise", "--context", "\(test.context)",
        "--stride", "\(test.stride)", "--batch-size", "3", "--threads", "1")
      #expect(found.tokens == reference.tokenCount && found.scored_tokens == found.tokens - 1)
      #expect(found.results.count == 1 && found.results[0].against_first == nil)
      #expect(abs(found.results[0].mean_nll - test.meanNLL) < 2e-6)
      #expect(abs(found.results[0].perplexity / test.perplexity - 1) < 2e-6)
    }
  }

  @Test func comparesFormatsWithTheFirst() throws {
    let run = try ApusBinary.run(
      "perplexity", "embedded", "-f", Self.text.path, "--compare", "f32,int8,int4", "--threads", "1")
    #expect(run.exitCode == 0 && run.error == "", "\(run.error)")
    let rows = run.lines.dropFirst(2).map { $0.split(separator: " ").first.map(String.init) }
    #expect(run.lines[0].hasPrefix("embedded: "))
    #expect(run.lines[1].hasSuffix("same top"))
    #expect(rows == ["f32", "int8", "int4"])

    let found = try report("embedded", "-f", Self.text.path, "--compare", "f32,int8,int4")
    #expect(found.results.map(\.weights) == ["f32", "int8", "int4"])
    let errors = found.results.map { $0.against_first?.nmse ?? 0 }
    #expect(errors[0] == 0 && errors[1] > 0 && errors[2] > 10 * errors[1] && errors[2] < 1)
    let divergences = found.results.map { $0.against_first?.mean_kl_divergence ?? 0 }
    #expect(divergences[1] > 0 && divergences[2] > divergences[1])
    let int8 = try #require(found.results[1].against_first)
    #expect(abs(int8.perplexity_ratio - found.results[1].perplexity / found.results[0].perplexity) < 1e-9)
    #expect(int8.same_top_share > 0.9 && int8.same_top_share <= 1)
  }

  @Test func readsGGUFAndStandardInput() throws {
    let found = try report(
      Self.fixtures.appending(path: "gguf/qwen2-bf16-letters.gguf").path, "--file", "-", "--context", "8",
      "--compare", "bf16", input: "hello world hello")
    #expect(found.tokens > 4 && found.windows >= 1 && found.context == 8 && found.stride == 4)
    #expect(found.results[0].weights == "bf16" && found.results[0].perplexity > 1)
  }

  @Test func comparesTheFilesOwnFormatToo() throws {
    let found = try report("embedded", "-f", Self.text.path, "--compare", "bf16,own", "--context", "64")
    #expect(found.results.map(\.weights) == ["bf16", "bf16"])
    #expect(found.results[1].against_first?.nmse == 0)
  }

  @Test func refusesWhatItCannotScore() throws {
    let folder = try TemporaryFolder()
    let empty = try folder.write("empty.txt", "").path
    let one = try folder.write("one.txt", "a").path
    let text = Self.text.path
    try ApusBinary.run("perplexity", "embedded", "-f", empty).expectRefusal("empty.txt: empty", "a text")
    try ApusBinary.run("perplexity", "embedded", "-f", one).expectRefusal("one.txt: 1 token", "at least 2")
    try ApusBinary.run("perplexity", "embedded", "-f", folder.path + "/none").expectRefusal(
      "none: cannot be read")
    let bytes = folder.url.appending(path: "bytes")
    try Data([0x61, 0xFF]).write(to: bytes)
    try ApusBinary.run("perplexity", "embedded", "-f", bytes.path).expectRefusal("bytes: not UTF-8")
    for context in ["1", "513", "-4"] {
      try ApusBinary.run("perplexity", "embedded", "-f", text, "--context", context)
        .expectRefusal("--context is \(context)", "2...512")
    }
    try ApusBinary.run("perplexity", "embedded", "-f", text, "--context", "64", "--stride", "64")
      .expectRefusal("--stride is 64", "1...63")
    try ApusBinary.run("perplexity", "embedded", "-f", text, "--batch-size", "0")
      .expectRefusal("--batch-size is 0")
    try ApusBinary.run("perplexity", "embedded", "-f", text, "--weights", "f32", "--compare", "f32,int8")
      .expectRefusal("--weights and --compare")
    try ApusBinary.run("perplexity", try ModelFixture("qwen2-tied").path, "-f", text)
      .expectRefusal("tokenizer.json")
    for list in ["f32,f32", "own,own", "f32,", "q8"] {
      let run = try ApusBinary.run("perplexity", "embedded", "-f", text, "--compare", list)
      #expect(run.exitCode == 64 && run.error.contains("--compare"))
    }
  }
}
