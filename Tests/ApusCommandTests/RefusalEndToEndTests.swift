import Foundation
import Testing

/// What cannot be run is refused: one line that names it, exit code 1.
@Suite struct RefusalEndToEndTests {
  private func damaged(_ change: (inout Data) throws -> Void) throws -> TemporaryFolder {
    let folder = try ModelFixture("qwen2-tied").copy()
    let file = folder.url.appending(path: "model.safetensors")
    var data = try Data(contentsOf: file)
    try change(&data)
    try data.write(to: file)
    return folder
  }

  @Test func refusesATruncatedFile() throws {
    for count in [0, 4, 100, 4000, 60_000] {
      let folder = try damaged { $0 = $0.prefix(count) }
      try ApusBinary.run("inspect", folder.path).expectRefusal("model.safetensors")
    }
  }

  @Test func refusesAMissingTensor() throws {
    let folder = try damaged { data in
      let name = try #require(data.range(of: Data("layers.1.mlp.up_proj".utf8)))
      data.replaceSubrange(name, with: Data("layers.1.mlp.no_proj".utf8))
    }
    try ApusBinary.run("inspect", folder.path).expectRefusal("model.layers.1.mlp.up_proj.weight", "missing")
  }

  @Test(arguments: ["inspect", "generate", "logits"])
  func refusesAWeightThatIsNotANumber(subcommand: String) throws {
    let folder = try damaged { data in
      data.replaceSubrange(data.count - 8..<data.count - 4, with: [0, 0, 0xC0, 0x7F])
    }
    let ids = try folder.write("ids.json", "[1]").path
    let run =
      switch subcommand {
      case "generate": try ApusBinary.run("generate", folder.path, "--ids", "1", "--output", "ids")
      case "logits":
        try ApusBinary.run("logits", folder.path, "--ids-file", ids, "--out", folder.path + "/out")
      default: try ApusBinary.run("inspect", folder.path)
      }
    run.expectRefusal(folder.url.lastPathComponent, "not finite")
    #expect(run.output == "")
    #expect(try !folder.names().contains("out"))
  }

  @Test func refusesAnUnknownArchitecture() throws {
    let folder = try ModelFixture("qwen2-tied").copy()
    let file = folder.url.appending(path: "config.json")
    let config = try String(contentsOf: file, encoding: .utf8)
    try folder.write("config.json", config.replacing("Qwen2ForCausalLM", with: "Mamba\\nForCausalLM"))
    try ApusBinary.run("inspect", folder.path).expectRefusal("config.json", "Mamba")
  }

  @Test func refusesFoldersThatAreNoModel() throws {
    let folder = try TemporaryFolder()
    try ApusBinary.run("inspect", folder.path).expectRefusal("config.json", "not found")
    try ApusBinary.run("inspect", folder.path + "/none\nsuch").expectRefusal("no such folder")
    try ApusBinary.run("inspect", folder.write("file", "").path).expectRefusal("not a folder")
    try ApusBinary.run("tokenize", folder.path, "a").expectRefusal("tokenizer.json")
    try folder.write("tokenizer.json", "{")
    try ApusBinary.run("tokenize", folder.path, "a").expectRefusal("tokenizer.json")
  }

  @Test func refusesRequestsByWhereTheyCameFrom() throws {
    let path = try ModelFixture("qwen2-tied").path
    func generate(_ line: String) throws -> ApusBinary.Run {
      let folder = try TemporaryFolder()
      let prompts = try folder.write("prompts.jsonl", "{\"ids\": [1]}\n" + line)
      return try ApusBinary.run("generate", path, "--prompts", prompts.path, "--output", "ids")
    }
    for (line, word) in [
      (#"{"ids": []}"#, "no tokens"), (#"{"ids": [1, 97]}"#, "ids[1] is 97"),
      (#"{"ids": [1], "temperature": -1}"#, "temperature is -1"),
      (#"{"ids": [1], "top_p": 0}"#, "top_p is 0"), (#"{"ids": [1], "min_p": 1.5}"#, "min_p is 1.5"),
      (#"{"ids": [1], "logprobs": 21}"#, "logprobs is 21"),
      (#"{"ids": [1], "max_tokens": 0}"#, "max_tokens is 0"),
      (#"{"ids": [1], "stop_token_ids": [97]}"#, "stop_token_ids[0] is 97"),
      (#"{"ids": [1], "best_of": 2}"#, "best_of"),
      (#"{"ids": \#(Array(repeating: 1, count: 129))}"#, "129 tokens; expected at most 128"),
      ("a text", "tokenizer.json"),
    ] {
      let run = try generate(line)
      run.expectRefusal(word)
      if word != "tokenizer.json" { run.expectRefusal("prompts.jsonl, line 2") }
      #expect(run.output == "", "nothing runs beside what is refused")
    }
  }

  @Test func refusesOptionsOutOfRange() throws {
    let path = try ModelFixture("qwen2-tied").path
    func generate(_ option: String, _ value: String) throws -> ApusBinary.Run {
      try ApusBinary.run("generate", path, "--ids", "1", "--output", "ids", option, value)
    }
    try generate("--batch-size", "0").expectRefusal("--batch-size is 0")
    try generate("--max-sequence-length", "129").expectRefusal("--max-sequence-length is 129", "1...128")
    try generate("--threads", "0").expectRefusal("0 threads")
    try generate("--temperature", "nan").expectRefusal("temperature is nan")
    try ApusBinary.run("generate", path).expectRefusal("no prompts")
    try ApusBinary.run("generate", path, "--ids", "1").expectRefusal("--output text")
    try ApusBinary.run("inspect", path, "--slots", "0").expectRefusal("--slots is 0")
    #if arch(x86_64)
      try generate("--isa", "neon").expectRefusal("neon", "avx2")
    #endif
  }

  @Test func refusesIDsThatMakeNoLogits() throws {
    let path = try ModelFixture("qwen2-tied").path
    for (text, word) in [
      ("", "malformed JSON"), ("{}", "not an array"), ("[]", "no ids"), ("[1, \"2\"]", "element 1"),
      ("[97]", "element 0 is 97"), ("\(Array(repeating: 1, count: 129))", "129 ids"),
    ] {
      try ApusBinary.run("logits", path, "--ids-file", "-", "--out", "/dev/null", input: text)
        .expectRefusal("standard input", word)
    }
    let nowhere = try TemporaryFolder().path
    try ApusBinary.run("logits", path, "--ids-file", "-", "--out", nowhere + "/none/out", input: "[1]")
      .expectRefusal("/none/out")
  }
}
