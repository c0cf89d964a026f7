import Foundation
import ArgumentParser
import Testing

@testable import ApusCommand

@Suite struct LoadRequestTests {
  private static func parse(_ line: String) throws -> LoadRequest {
    try LoadRequest(line: line, place: "trace", maxTokensDefault: 9)
  }

  @Test func aLineSaysWhatIsAskedAndWhen() throws {
    let text = try Self.parse(#"{"prompt": "a b", "max_tokens": 5, "arrival": 0.5}"#)
    #expect(text == LoadRequest(prompt: .text("a b"), maxTokens: 5, arrival: 0.5))
    let ids = try Self.parse(#"{"prompt_token_ids": [1, 2, 3]}"#)
    #expect(ids == LoadRequest(prompt: .ids([1, 2, 3]), maxTokens: 9))
    #expect(ids.inputTokenCount == 3)
  }

  @Test(arguments: [
    "[]", "{", "{}", #"{"prompt": "a", "prompt_token_ids": [1]}"#, #"{"prompt": 3}"#,
    #"{"prompt": "a", "max": 3}"#,
    #"{"prompt": "a", "max_tokens": 0}"#, #"{"prompt": "a", "arrival": -1}"#, #"{"prompt_token_ids": [-1]}"#,
  ]) func whatIsNoRequestIsRefusedWithItsPlace(_ line: String) {
    #expect { try Self.parse(line) } throws: { "\($0)".contains("trace") }
  }

  @Test func timesAreOfAllRequestsOrOfNone() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("trace.jsonl", "{\"prompt\": \"a\", \"arrival\": 1}\n\n{\"prompt\": \"b\"}\n")
    #expect { try LoadRequest.read(path: file.path, maxTokensDefault: 9, countMax: 10) } throws: {
      "\($0)".contains("request 2 lacks an arrival")
    }
    #expect(try LoadRequest.read(path: file.path, maxTokensDefault: 9, countMax: 1).count == 1)
  }

  @Test func randomRequestsHaveTheLengthsAskedForAndRepeat() throws {
    func load(_ seed: UInt64) -> [LoadRequest] {
      LoadRequest.random(count: 500, input: LengthRange(2...5), output: LengthRange(7...8), seed: seed)
    }
    #expect(load(1) == load(1))
    #expect(load(1) != load(2))
    #expect(Set(load(1).map(\.inputTokenCount)) == [2, 3, 4, 5])
    #expect(Set(load(1).map(\.maxTokens)) == [7, 8])
  }

  @Test func lengthsAreANumberOrARange() {
    #expect(LengthRange(argument: "16")?.range == 16...16)
    #expect(LengthRange(argument: "16-512")?.range == 16...512)
    for text in ["", "0", "5-4", "-5", "5-", "1-2-3", "x"] {
      #expect(LengthRange(argument: text) == nil, "\(text)")
    }
  }

  @Test func aServersAddressMayEndInV1() throws {
    func endpoint(_ url: String) throws -> CompletionEndpoint {
      try CompletionEndpoint(baseURL: url, kind: .completions, model: "m", apiKey: nil)
    }
    for url in ["http://host:81", "http://host:81/", "http://host:81/v1", "http://host:81/v1/"] {
      #expect(try endpoint(url).path == "/v1/completions", "\(url)")
      #expect(try endpoint(url).port == 81)
    }
    #expect(try endpoint("http://[::1]/x").host == "::1")
    #expect(try endpoint("http://[::1]/x").path == "/x/v1/completions")
    for url in ["https://host", "host:81", "http://", "http://a?b", "ftp://a", "http://host:0"] {
      #expect(throws: CommandFailure.self, "\(url)") { try endpoint(url) }
    }
  }
}
