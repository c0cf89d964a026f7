import Foundation
import Testing

/// `apus tokenize`, `detokenize`, `logits`, `inspect`, and what all subcommands share.
@Suite struct ToolsEndToEndTests {
  private func tokenizerFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", LettersTokenizer.json)
    return folder
  }

  @Test func tokenizesArgumentsAndLinesAsHuggingFaceDoes() throws {
    let folder = try tokenizerFolder()
    let arguments = try ApusBinary.run("tokenize", folder.path, "hello world", "hello </s>é")
    #expect(arguments.output == "[0,36,38,19,13,5]\n[0,36,28,1,29,30]\n")
    let plain = try ApusBinary.run("tokenize", folder.path, "--no-special", "hello world")
    #expect(plain.output == "[36,38,19,13,5]\n")
    let lines = try ApusBinary.run(
      "tokenize", folder.path,
      input: """
        {"text": "hello </s>\\u00e9", "special": false}
        {"text": "a", "special": true}
        {"text": "a"}
        {"text": ""}
        """)
    #expect(lines.output == "[36,28,1,29,30]\n[0,2]\n[0,2]\n[0]\n")
  }

  @Test func detokenizesArgumentsAndLinesAsHuggingFaceDoes() throws {
    let folder = try tokenizerFolder()
    let arguments = try ApusBinary.run("detokenize", folder.path, "0,34,38,19", "[1, 2, 3]")
    #expect(arguments.output == "\"ll wor\"\n\"ab\"\n")
    let kept = try ApusBinary.run("detokenize", folder.path, "--no-skip-special", "0,34,38,19")
    #expect(kept.output == "\"<s>ll wor\"\n")
    let lines = try ApusBinary.run(
      "detokenize", folder.path,
      input: """
        {"ids": [1, 2, 3], "skip_special": false}
        {"ids": [29, 30, 32]}
        {"ids": [29]}
        {"ids": []}
        """)
    #expect(lines.output == "\"</s>ab\"\n\"é\\\"\"\n\"\u{FFFD}\"\n\"\"\n")
  }

  @Test func quantizesIntoAFolderThatGeneratesTheSame() throws {
    let folder = try TemporaryFolder()
    let out = folder.url.appending(path: "packed").path
    let run = try ApusBinary.run("quantize", "embedded", out, "--weights", "int4")
    #expect(run.exitCode == 0 && run.output.hasSuffix("packed as int4\n"), "\(run.error)")
    let arguments = ["--prompt", "Tell me about the fox", "-n", "24"]
    let packed = try ApusBinary.run(["generate", out] + arguments)
    let converted = try ApusBinary.run(["generate", "embedded", "--weights", "int4"] + arguments)
    #expect(packed.exitCode == 0 && packed.output == converted.output && !packed.output.isEmpty)
    #expect(try ApusBinary.run("inspect", out).output.contains("format           safetensors, packed\n"))
    try ApusBinary.run("quantize", "embedded", out).expectRefusal(out, "is there already")
    try ApusBinary.run("quantize", "embedded", "/nonexistent/out").expectRefusal(
      "/nonexistent/out", "cannot be written")
    try ApusBinary.run("generate", out, "--weights", "bf16", "--prompt", "a").expectRefusal("packed as int4")
    // Nothing but the folder is left.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["packed"])
  }

  @Test func namesTheLineThatCannotBeTokenized() throws {
    let folder = try tokenizerFolder()
    let run = try ApusBinary.run("tokenize", folder.path, input: "{\"text\": \"a\"}\n{\"txt\": \"a\"}\n")
    run.expectRefusal("standard input, line 2", "txt")
    #expect(run.output == "[0,2]\n")
    try ApusBinary.run("detokenize", folder.path, "5,99").expectRefusal("list 1", "99")
  }

  @Test(arguments: ["qwen2-tied", "llama2"], [128, 5])
  func writesTransformersLogits(name: String, chunk: Int) throws {
    let fixture = try ModelFixture(name)
    let folder = try TemporaryFolder()
    let ids = try folder.write("ids.json", "\(fixture.prompt)\n").path
    for out in ["logits.npy", "logits.bin"] {
      let file = folder.url.appending(path: out)
      let run = try ApusBinary.run(
        "logits", fixture.path, "--ids-file", ids, "--out", file.path, "--weights", "f32", "--chunk",
        "\(chunk)")
      #expect(run.exitCode == 0, "\(run.error)")
      var data = try Data(contentsOf: file)
      if out.hasSuffix(".npy") {
        let vocabulary = fixture.logits.count / fixture.prompt.count
        #expect(data.prefix(128).contains("(\(fixture.prompt.count), \(vocabulary))"))
        data = data.dropFirst(128)
      }
      let found = try floats(Data(data))
      try #require(found.count == fixture.logits.count)
      let largest = fixture.logits.map(abs).max()!
      let worst = zip(found, fixture.logits).map { abs($0 - $1) }.reduce(0) { $1.isNaN ? .nan : max($0, $1) }
      #expect(worst <= 1e-4 * largest)
    }
    #expect(try folder.names() == ["ids.json", "logits.bin", "logits.npy"])
  }

  @Test func writesTheSameLogitsInAnyChunkAndOnAnyNumberOfThreads() throws {
    let fixture = try ModelFixture("qwen2-bf16")
    let folder = try TemporaryFolder()
    var files: Set<Data> = []
    for (chunk, threads) in [("1", "1"), ("128", "2"), ("4", "1")] {
      let out = folder.url.appending(path: "logits")
      let run = try ApusBinary.run(
        "logits", fixture.path, "--ids-file", "-", "--out", out.path, "--chunk", chunk, "--threads", threads,
        input: "\(fixture.prompt)")
      #expect(run.exitCode == 0, "\(run.error)")
      files.insert(try Data(contentsOf: out))
    }
    #expect(files.count == 1)
  }

  @Test func holdsKeysAndValuesInTheTypeAskedFor() throws {
    let fixture = try ModelFixture("qwen2-tied")
    let folder = try TemporaryFolder()
    let largest = fixture.logits.map(abs).max()!
    var files: Set<Data> = []
    for (type, bound) in [("f32", 1e-4), ("f16", 1e-2), ("bf16", 5e-2), ("int8", 5e-2)] as [(String, Float)] {
      let out = folder.url.appending(path: "logits")
      let run = try ApusBinary.run(
        "logits", fixture.path, "--ids-file", "-", "--out", out.path, "--weights", "f32", "--kv-type", type,
        input: "\(fixture.prompt)")
      #expect(run.exitCode == 0, "\(run.error)")
      let data = try Data(contentsOf: out)
      for (found, expected) in zip(try floats(data), fixture.logits) {
        #expect(abs(found - expected) <= bound * largest)
      }
      files.insert(data)
    }
    #expect(files.count == 4)
    let refused = try ApusBinary.run("inspect", fixture.path, "--kv-type", "int4")
    #expect(refused.exitCode == 64 && refused.error.contains("'int4'") && refused.error.contains("--kv-type"))
  }

  @Test func inspectsAModelForAPersonAndForAProgram() throws {
    let fixture = try ModelFixture("qwen2-tied")
    let text = try ApusBinary.run("inspect", fixture.path, "--tensors", "--threads", "1")
    #expect(text.exitCode == 0, "\(text.error)")
    #expect(text.output.contains("architecture     Qwen2ForCausalLM\n"))
    #expect(text.output.contains("threads          1 ("))
    #expect(
      text.output.contains("KV cache types   f32 384 bytes, f16 192 bytes, bf16 192 bytes, int8 128 bytes"))
    #expect(text.output.contains("model.layers.1.mlp.up_proj.weight F32 [44, 32]\n"))

    struct Report: Decodable {
      struct Memory: Decodable {
        let weights_type: String
        let kv_cache_type: String
        let weights_bytes, kv_cache_bytes_per_token, kv_cache_bytes: Int
        let kv_cache_bytes_per_token_by_type: [String: Int]
      }
      struct Tensor: Decodable {
        let name: String
        let shape: [Int]
      }
      let architecture: String
      let parameters: Int
      let memory: Memory
      let tensors: [Tensor]
    }
    let json = try ApusBinary.run(
      "inspect", fixture.path, "--json", "--weights", "bf16", "--kv-type", "int8", "--slots", "2",
      "--context",
      "64")
    let report = try JSONDecoder().decode(Report.self, from: Data(json.output.utf8))
    #expect(report.architecture == "Qwen2ForCausalLM")
    #expect(report.parameters == report.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) })
    #expect(report.memory.weights_type == "bf16")
    #expect(report.memory.weights_bytes >= 2 * report.parameters)
    // Keys of 2 heads of 8 in 2 layers, values padded to 16; a float for each of them as int8.
    #expect(report.memory.kv_cache_type == "int8")
    #expect(
      report.memory.kv_cache_bytes_per_token_by_type
        == ["f32": 2 * 2 * 24 * 4, "f16": 2 * 2 * 24 * 2, "bf16": 2 * 2 * 24 * 2, "int8": 2 * 2 * (24 + 8)])
    #expect(report.memory.kv_cache_bytes_per_token == 2 * 2 * (24 + 8))
    #expect(report.memory.kv_cache_bytes == 2 * 64 * report.memory.kv_cache_bytes_per_token)
  }

  @Test func endsQuietlyWhenItsReaderIsGone() throws {
    let process = ApusBinary.process(["inspect", try ModelFixture("qwen2-tied").path, "--json"])
    let output = Pipe()
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try output.fileHandleForReading.close()
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    #expect(try error.fileHandleForReading.readToEnd() ?? Data() == Data())
  }

  @Test func endsQuietlyWhenItsReaderGoesInTheMiddle() throws {
    let folder = try TemporaryFolder()
    let lines = (0..<300).map { #"{"ids": [\#($0 % 90), 1, 2], "max_tokens": 64, "ignore_eos": true}"# }
    let prompts = try folder.write("prompts.jsonl", lines.joined(separator: "\n"))
    let path = try ModelFixture("qwen2-tied").path
    let process = ApusBinary.process(["generate", path, "--prompts", prompts.path, "--output", "ids"])
    let output = Pipe()
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try process.run()
    _ = try output.fileHandleForReading.read(upToCount: 10)
    try output.fileHandleForReading.close()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    #expect(try error.fileHandleForReading.readToEnd() ?? Data() == Data())
  }

  @Test func tellsItsVersionAndRefusesUnknownOptionsWithUsage() throws {
    let version = try ApusBinary.run("--version")
    #expect(version.exitCode == 0)
    #expect(version.output.split(separator: ".").count == 3)
    let unknown = try ApusBinary.run("generate", "somewhere", "--no-such-option")
    #expect(unknown.exitCode == 64)
    #expect(unknown.error.contains("--no-such-option"))
  }
}

extension Data {
  fileprivate func contains(_ text: String) -> Bool { range(of: Data(text.utf8)) != nil }
}
