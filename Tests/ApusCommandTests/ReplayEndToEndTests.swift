import Foundation
import Testing

@Suite struct ReplayEndToEndTests {
  /// Records a run of three requests with a little of everything.
  private func record(_ model: ModelFixture, in folder: TemporaryFolder) throws -> String {
    let path = folder.url.appending(path: "run.jsonl").path
    let run = try ApusBinary.run(
      "generate", model.path, "--ids", model.promptList, "--ids", "5,6,7", "--prompts", "-", "-n", "12",
      "--temperature", "0.9", "--logprobs", "2", "--batch-size", "2", "--prefill-step", "3", "--output",
      "ids",
      "--record", path, input: #"{"ids": [9, 9, 9], "max_tokens": 4, "stop_token_ids": [1], "top_k": 5}"#)
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.lines.count == 3)
    return path
  }

  @Test func whatWasRecordedReplaysToTheSameBits() throws {
    let model = try ModelFixture("qwen2-tied")
    let folder = try TemporaryFolder()
    let path = try record(model, in: folder)
    let run = try ApusBinary.run("replay", path, model.path, "--threads", "1")
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.lines.count == 4)
    #expect(run.lines.dropLast().allSatisfy { $0.contains("same bits") }, "\(run.output)")
    #expect(run.lines.last == "3 requests run alone: none differs")
    let one = try ApusBinary.run("replay", path, model.path, "--request", "2")
    #expect(one.lines.count == 2 && one.lines[0].hasPrefix("request 2: same bits"), "\(one.output)")
    try ApusBinary.run("replay", path, model.path, "--request", "7").expectRefusal(
      "--request 7", "no such request")
  }

  @Test func aDifferenceIsNamedByItsPositionAndIsExitCodeOne() throws {
    let model = try ModelFixture("qwen2-tied")
    let folder = try TemporaryFolder()
    let path = try record(model, in: folder)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let pattern = try Regex("\\[1,5,([0-9]+),")
    let match = try #require(text.firstMatch(of: pattern))
    let token = try #require(Int(match[1].substring ?? ""))
    let changed = text.replacing(pattern, with: "[1,5,\((token + 1) % 90),")
    let run = try ApusBinary.run("replay", try folder.write("changed.jsonl", changed).path, model.path)
    #expect(run.exitCode == 1)
    #expect(
      run.output.contains(
        "request 1: differs from position 5 on: token \((token + 1) % 90) was recorded, \(token) came now"),
      "\(run.output)")
    #expect(run.output.contains("request 0: same bits"))
    #expect(run.error.contains("1 of 3 requests"))
  }

  @Test func anotherModelIsRefusedByName() throws {
    let folder = try TemporaryFolder()
    let path = try record(try ModelFixture("qwen2-tied"), in: folder)
    let other = try ModelFixture("llama3")
    try ApusBinary.run("replay", path, other.path).expectRefusal(
      "made with qwen2-tied", "another model: llama3")
    // The same names and shapes, and other weights.
    let copy = try ModelFixture("qwen2-tied").copy()
    var bytes = try Data(contentsOf: copy.url.appending(path: "model.safetensors"))
    bytes[bytes.count - 40] ^= 0x40
    for index in bytes.indices.suffix(400) where index % 2 == 0 { bytes[index] ^= 1 }
    try bytes.write(to: copy.url.appending(path: "model.safetensors"))
    try ApusBinary.run("replay", path, copy.path).expectRefusal("another model")
  }

  @Test func recordingsThatAreFaultyAreRefusedByLine() throws {
    let model = try ModelFixture("qwen2-tied")
    let folder = try TemporaryFolder()
    let text = try String(contentsOfFile: record(model, in: folder), encoding: .utf8)
    let cut = try folder.write("cut.jsonl", String(text.dropLast(60))).path
    try ApusBinary.run("replay", cut, model.path).expectRefusal("cut.jsonl, line", "cut off", "--truncated")
    let taken = try ApusBinary.run("replay", cut, model.path, "--truncated")
    #expect(taken.exitCode == 0, "\(taken.error)")
    #expect(taken.output.contains("the recording has no end"))
    let garbled = text.replacing("\"seed\":\"", with: "\"seed\":\"x", maxReplacements: 1)
    try ApusBinary.run("replay", folder.write("garbled.jsonl", garbled).path, model.path)
      .expectRefusal("garbled.jsonl, line 2", "arrival.seed")
    try ApusBinary.run("replay", folder.write("empty.jsonl", "").path, model.path).expectRefusal("empty")
    try ApusBinary.run("replay", folder.write("text.jsonl", "hello\n").path, model.path)
      .expectRefusal("line 1", "expected the header")
    let isa = text.replacing(
      try Regex("\"instruction_set\":\"[a-z0-9_]+\""), with: "\"instruction_set\":\"mmx\"")
    try ApusBinary.run("replay", folder.write("isa.jsonl", isa).path, model.path).expectRefusal("mmx")
  }

  @Test func tracesAndTimelinesAreWritten() throws {
    let model = try ModelFixture("qwen2-tied")
    let folder = try TemporaryFolder()
    let trace = folder.url.appending(path: "trace.json"),
      timeline = folder.url.appending(path: "timeline.svg")
    let run = try ApusBinary.run(
      "generate", model.path, "--ids", "1,2,3", "--ids", "4,5", "-n", "3", "--ignore-eos", "--output", "ids",
      "--trace", trace.path, "--timeline", timeline.path)
    #expect(run.exitCode == 0, "\(run.error)")
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: trace)) as? [String: Any]
    #expect((object?["traceEvents"] as? [Any])?.isEmpty == false)
    #expect(try String(contentsOf: timeline, encoding: .utf8).contains(">request 1<"))
    try ApusBinary.run(
      "generate", model.path, "--ids", "1", "--record", folder.url.appending(path: "no/where").path,
      "--output",
      "ids"
    ).expectRefusal("no/where", "cannot be written")
  }
}
