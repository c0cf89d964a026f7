import Testing

@testable import ApusServer

/// `/v1/completions` over a socket.
@Suite struct CompletionTests {
  private static let greedy = #"{"prompt": "Tell me about the fox", "max_tokens": 24, "temperature": 0"#

  @Test func answersWithTheShapeOfOpenAI() async throws {
    try await TestServer.run { server in
      let reply = try await server.post("/v1/completions", Self.greedy + #", "model": "apus-stories"}"#)
      #expect(reply.status == 200)
      let json = try reply.json
      #expect(
        json.keys == ["id", "object", "created", "model", "system_fingerprint", "choices", "usage"])
      #expect(json["object"].string == "text_completion")
      #expect(json["choices"][0].keys == ["text", "index", "logprobs", "finish_reason"])
      #expect(json["choices"][0]["text"].string?.hasPrefix("\n\nThe fox is a small hunter") == true)
      #expect(json["choices"][0]["finish_reason"].string == "length")
      #expect(json["usage"]["prompt_tokens"].integer == 5)
      #expect(json["usage"]["completion_tokens"].integer == 24)
      #expect(json["usage"]["total_tokens"].integer == 29)
    }
  }

  @Test func aStreamHoldsTheSameTextAndLogprobsAsAWholeAnswer() async throws {
    try await TestServer.run { server in
      for more in [
        "", #", "stop": ["thick", "red coat an"]"#,
        #", "stop": "ear", "n": 3, "temperature": 0.9, "seed": 4"#,
      ] {
        let body = Self.greedy.replacing(
          #", "temperature": 0"#, with: more.contains("temp") ? "" : #", "temperature": 0"#)
        let request = body + #", "logprobs": 2"# + more
        let whole = try await server.post("/v1/completions", request + "}").json
        let stream = try await server.post(
          "/v1/completions", request + #", "stream": true, "stream_options": {"include_usage": true}}"#)
        #expect(stream.headers["content-type"] == "text/event-stream; charset=utf-8")
        var events = try stream.events
        let last = events.popLast()
        let usage = try #require(last)
        #expect(usage["choices"].array.isEmpty)
        #expect(usage["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"])
        #expect(events.allSatisfy { $0["usage"].isNull })
        #expect(events.count > 3)
        for (index, choice) in whole["choices"].array.enumerated() {
          let deltas = events.map { $0["choices"][0] }.filter { $0["index"].integer == index }
          #expect(deltas.compactMap { $0["text"].string }.joined() == choice["text"].string)
          #expect(deltas.last?["finish_reason"] == choice["finish_reason"])
          for key in ["tokens", "token_logprobs", "text_offset"] {
            #expect(deltas.flatMap { $0["logprobs"][key].array } == choice["logprobs"][key].array)
          }
        }
      }
    }
  }

  @Test func textThatMayBeginAStopStringIsDeliveredWhenItDoesNot() async throws {
    try await TestServer.run { server in
      let plain = try await server.post("/v1/completions", Self.greedy + "}").json["choices"][0]["text"]
      // Begins a dozen times in the text and never ends.
      let held = try await server.post(
        "/v1/completions", Self.greedy + #", "stop": [" a ", " a zebra"], "min_tokens": 24}"#)
      #expect(try held.json["choices"][0]["text"] == plain)
      let stream = try await server.post(
        "/v1/completions", Self.greedy + #", "stop": " a zebra", "stream": true}"#)
      let texts = try stream.events.map { $0["choices"][0]["text"].string ?? "" }
      #expect(texts.joined() == plain.string)
      #expect(!texts.contains(" a"))
    }
  }

  @Test func aStopStringEndsTheTextBeforeItOrBehindIt() async throws {
    try await TestServer.run { server in
      let before = try await server.post("/v1/completions", Self.greedy + #", "stop": ["hunter"]}"#).json
      #expect(before["choices"][0]["text"].string == "\n\nThe fox is a small ")
      #expect(before["choices"][0]["finish_reason"].string == "stop")
      let behind = try await server.post(
        "/v1/completions", Self.greedy + #", "stop": ["hunter"], "include_stop_str_in_output": true}"#
      ).json
      #expect(behind["choices"][0]["text"].string == "\n\nThe fox is a small hunter")
    }
  }

  @Test func promptsMayBeTextsOrTokensOneOrSeveral() async throws {
    try await TestServer.run { server in
      let tokens = try await server.post("/tokenize", #"{"prompt": "Tell me about the fox"}"#).json["tokens"]
      let ids = "[" + tokens.array.map { "\($0.integer!)" }.joined(separator: ",") + "]"
      let fox = #""Tell me about the fox""#
      let rest = #", "max_tokens": 8, "temperature": 0}"#
      let one = try await server.post("/v1/completions", #"{"prompt": "# + fox + rest).json["choices"][0][
        "text"]
      for prompt in ["[\(fox)]", ids, "[\(ids)]"] {
        let reply = try await server.post("/v1/completions", #"{"prompt": "# + prompt + rest)
        #expect(try reply.json["choices"][0]["text"] == one)
      }
      let several = try await server.post(
        "/v1/completions", #"{"prompt": ["# + fox + #", "Tell me about the owl"], "n": 2"# + rest
      ).json
      #expect(several["choices"].array.map { $0["index"].integer } == [0, 1, 2, 3])
      #expect(several["choices"][0]["text"] == one)
      #expect(several["choices"][1]["text"] == one)
      #expect(several["choices"][2]["text"].string?.contains("owl") == true)
      #expect(several["usage"]["prompt_tokens"].integer == 10)
      #expect(several["usage"]["completion_tokens"].integer == 32)
    }
  }

  @Test func anEchoBeginsWithThePromptAndItsLogprobs() async throws {
    try await TestServer.run { server in
      let reply = try await server.post("/v1/completions", Self.greedy + #", "echo": true, "logprobs": 0}"#)
        .json
      let choice = reply["choices"][0]
      #expect(choice["text"].string?.hasPrefix("Tell me about the fox\n\nThe fox") == true)
      let logprobs = choice["logprobs"]
      #expect(logprobs["tokens"].array.compactMap(\.string).joined() == choice["text"].string)
      #expect(logprobs["token_logprobs"][0].isNull)
      #expect(logprobs["token_logprobs"].array.count == 29)
      #expect(logprobs["text_offset"].array.prefix(3).map(\.integer) == [0, 4, 7])
      let scored = try await server.post(
        "/v1/completions",
        #"{"prompt": "Tell me about the fox", "max_tokens": 0, "echo": true, "logprobs": 0}"#
      ).json
      #expect(scored["choices"][0]["text"].string == "Tell me about the fox")
      #expect(
        scored["choices"][0]["logprobs"]["token_logprobs"].array
          == Array(logprobs["token_logprobs"].array.prefix(5)))
      #expect(scored["usage"]["completion_tokens"].integer == 0)
    }
  }

  @Test func aSeedFixesTheAnswerAndEachChoiceHasOneOfItsOwn() async throws {
    try await TestServer.run { server in
      let body = #"{"prompt": "Tell me a story", "max_tokens": 20, "seed": 11, "n": 3, "temperature": 1.2}"#
      let first = try await server.post("/v1/completions", body).json["choices"]
      #expect(try await server.post("/v1/completions", body).json["choices"] == first)
      #expect(Set(first.array.compactMap { $0["text"].string }).count > 1)
      let alone = try await server.post("/v1/completions", body.replacing(#""n": 3, "#, with: "")).json[
        "choices"]
      #expect(alone[0]["text"] == first[0]["text"])
    }
  }

  @Test func fieldsOfVLLMAreHonoured() async throws {
    try await TestServer.run { server in
      func text(_ fields: String) async throws -> String? {
        try await server.post(
          "/v1/completions", #"{"prompt": "Tell me about the fox", "max_tokens": 12, "# + fields + "}"
        ).json["choices"][0]["text"].string
      }
      let greedy = try await text(#""temperature": 0"#)
      #expect(try await text(#""top_k": 1"#) == greedy)
      #expect(try await text(#""min_p": 1"#) == greedy)
      #expect(try await text(#""temperature": 0, "repetition_penalty": 5.0"#) != greedy)
      #expect(
        try await text(#""temperature": 0, "allowed_token_ids": [262]"#)
          == String(
            repeating: try #require(
              try await server.post("/detokenize", #"{"tokens": [262]}"#).json["prompt"].string), count: 12))
      #expect(try await text(#""temperature": 0, "logit_bias": {"262": 100}"#) != greedy)
    }
  }

  @Test func severalAnswersComeOverOneConnection() async throws {
    try await TestServer.run { server in
      let client = try RawClient(port: server.port)
      for _ in 0..<3 {
        await client.send(TestServer.request("POST", "/v1/completions", Self.greedy + "}"))
        let reply = try HTTPReply(await client.receive(until: "\"usage\":{\"prompt_tokens\":5"))
        #expect(reply.status == 200)
      }
      // Streams too leave the connection as it was.
      await client.send(TestServer.request("POST", "/v1/completions", Self.greedy + #", "stream": true}"#))
      #expect(await client.receive(until: "0\r\n\r\n").contains("[DONE]"))
      await client.send(TestServer.request("GET", "/health"))
      #expect(await client.receive(until: "}").contains("200 OK"))
    }
  }
}
