import Foundation
import Testing

/// Every subcommand on a `.gguf` file, against the folder of the same weights, whose logits and tokens are those of
/// Hugging Face transformers.
@Suite struct GGUFEndToEndTests {
  private func gguf(_ name: String) throws -> String {
    try ModelFixture("llama3").url.deletingLastPathComponent().appending(path: "gguf/\(name).gguf").path
  }

  /// The checkpoint and the tokenizer of qwen2-bf16-letters.gguf.
  private func lettersFolder() throws -> TemporaryFolder {
    let folder = try ModelFixture("qwen2-bf16").copy()
    try folder.write("tokenizer.json", LettersTokenizer.json)
    return folder
  }

  @Test(arguments: ["llama3", "llama-biases", "qwen2-bf16", "qwen3"], ["f32", "bf16", nil])
  func writesTheLogitsOfTheFolderBitForBit(name: String, weights: String?) throws {
    let fixture = try ModelFixture(name)
    let folder = try TemporaryFolder()
    let ids = try folder.write("ids.json", "\(fixture.prompt)").path
    var logits: [Data] = []
    for model in [fixture.path, try gguf(name)] {
      let out = folder.url.appending(path: "logits").path
      let options = weights.map { ["--weights", $0] } ?? []
      let run = try ApusBinary.run(["logits", model, "--ids-file", ids, "--out", out] + options)
      #expect(run.exitCode == 0, "\(run.error)")
      logits.append(try Data(contentsOf: URL(filePath: out)))
    }
    #expect(logits[0].count == fixture.logits.count * 4)
    #expect(logits[0] == logits[1])
  }

  @Test(arguments: ["llama3", "llama-biases", "qwen3"])
  func generatesTransformersTokens(name: String) throws {
    let fixture = try ModelFixture(name)
    let run = try ApusBinary.run(
      "generate", try gguf(name), "--ids", fixture.promptList, "-n", "\(fixture.greedy.count)",
      "--ignore-eos",
      "--output", "ids")
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.output == "[" + fixture.greedy.map(String.init).joined(separator: ",") + "]\n")
  }

  @Test func turnsTextIntoTheTextOfTheFolder() throws {
    let folder = try lettersFolder()
    let file = try gguf("qwen2-bf16-letters")
    for arguments in [
      ["generate", "--prompt", "hello world", "--prompt", "a\u{E9}", "-n", "24"],
      ["generate", "--prompt", "hello", "-n", "24", "--ignore-eos", "--temperature", "1", "--seed", "5"],
      ["tokenize", "hello world", "hello </s>\u{E9}"], ["tokenize", "--no-special", "hello world"],
      ["detokenize", "0,34,38,19", "1,2,3"], ["detokenize", "--no-skip-special", "0,34,38,19"],
    ] {
      let found = try ApusBinary.run([arguments[0], file] + arguments.dropFirst())
      let expected = try ApusBinary.run([arguments[0], folder.path] + arguments.dropFirst())
      #expect(found.exitCode == 0, "\(found.error)")
      #expect(found.output == expected.output && !found.output.isEmpty)
    }
  }

  @Test func inspectsTensorsTypesAndMemory() throws {
    let run = try ApusBinary.run("inspect", try gguf("llama3-mixed"), "--tensors", "--threads", "1")
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.output.contains("format           GGUF 3\n"))
    #expect(run.output.contains("architecture     LlamaForCausalLM\n"))
    #expect(run.output.contains("21 (8 F32, 2 F16, 2 Q4_0, 2 Q4_1, 2 Q5_0, 2 Q5_1, 1 Q8_0, 2 BF16)"))
    #expect(run.output.contains("packed as f32, bf16, int8, int4, int8-affine\n"))
    #expect(run.output.contains("blk.0.attn_k.weight Q5_1 [16, 32]\n"))

    struct Report: Decodable {
      struct Memory: Decodable {
        let checkpoint_bytes, weights_bytes: Int
        let weights_type: String
      }
      struct Tensor: Decodable {
        let name, dtype: String
        let shape: [Int]
      }
      let format: String
      let parameters: Int
      let tokenizer_size: Int?
      let eos_token_ids: [Int]
      let memory: Memory
      let tensors: [Tensor]
    }
    let json = try ApusBinary.run("inspect", try gguf("llama3-mixed"), "--json", "--weights", "bf16")
    let report = try JSONDecoder().decode(Report.self, from: Data(json.output.utf8))
    #expect(report.format == "GGUF 3" && report.tokenizer_size == nil)
    #expect(report.eos_token_ids == [3, 4])
    #expect(report.memory.weights_type == "bf16")
    #expect(report.memory.weights_bytes >= 2 * report.parameters)
    #expect(report.memory.weights_bytes < 4 * report.parameters)
    #expect(report.tensors.contains { $0.name == "token_embd.weight" && $0.dtype == "Q8_0" })
    let letters = try ApusBinary.run("inspect", try gguf("qwen2-bf16-letters"))
    #expect(letters.output.contains("tokenizer        ids below 39\n"))
    #expect(letters.output.contains("packed as bf16\n"))
  }

  @Test func namesFileAndKeyOfWhatIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appending(path: "model.gguf").path
    try ApusBinary.run("inspect", path).expectRefusal("model.gguf", "not found")
    try folder.write("model.gguf", "GGUF")
    try ApusBinary.run("generate", path, "--prompt", "a").expectRefusal("model.gguf", "truncated")
    try ApusBinary.run("tokenize", try gguf("qwen3"), "a").expectRefusal("qwen3.gguf", "tokenizer.ggml.model")
    try ApusBinary.run("generate", try gguf("qwen3"), "--prompt", "a").expectRefusal("tokenizer.ggml.model")
    try folder.write("model.bin", "")
    try ApusBinary.run("inspect", folder.url.appending(path: "model.bin").path).expectRefusal(".gguf")
  }
}
