import ApusCheckpoint
import ApusEngine
import ApusTokenizer
import Testing
@testable import ApusServer

@Suite struct EndpointTests {
  @Test func statusIsForEverybodyAndTheRestForWhoBearsAKey() async throws {
    try await TestServer.run(TestServer.Options(apiKeys: ["k1", "k2"])) { server in
      for path in ["/health", "/ready", "/metrics", "/version"] {
        #expect(try await server.send("GET", path).status == 200, "\(path)")
      }
      for path in ["/v1/models", "/v1/models/apus-stories", "/slots", "/load"] {
        let refused = try await server.send("GET", path)
        try refused.expectError(401, code: "invalid_api_key")
        #expect(refused.headers["www-authenticate"] == "Bearer")
        #expect(!refused.body.contains("k1"))
        #expect(
          try await server.send("GET", path, headers: ["Authorization: Bearer k2"]).status == 200, "\(path)")
      }
      for path in ["/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"] {
        try await server.post(path, "{}").expectError(401)
      }
    }
  }

  @Test func modelsAreFoundByIDAndAlias() async throws {
    try await TestServer.run { server in
      let list = try await server.send("GET", "/v1/models").json
      #expect(list["object"].string == "list")
      #expect(list["data"][0]["id"].string == "apus-stories")
      #expect(list["data"][0].keys.prefix(4) == ["id", "object", "created", "owned_by"])
      #expect(try await server.send("GET", "/v1/models/embedded").json["id"].string == "apus-stories")
      try await server.send("GET", "/v1/models/some/other").expectError(404, code: "model_not_found")
      for path in ["/v1/completions", "/v1/chat/completions"] {
        let body = #"{"model": "gpt-4", "prompt": "a"}"#.replacing(
          #""prompt": "a""#,
          with: path.contains("chat") ? #""messages": [{"role": "user", "content": "a"}]"# : #""prompt": "a""#
        )
        try await server.post(path, body).expectError(404, code: "model_not_found", param: "model")
      }
    }
  }

  @Test func whatIsNotThereIsSaidByItsStatus() async throws {
    try await TestServer.run { server in
      try await server.send("GET", "/v1/nothing").expectError(404, code: "unknown_url")
      let put = try await server.send("PUT", "/v1/completions", "{}")
      try put.expectError(405, code: "method_not_allowed")
      #expect(put.headers["allow"] == "POST")
      let head = try await server.send("HEAD", "/health")
      #expect(head.status == 200)
      #expect(head.body.isEmpty)
      let form = try await RawClientReply.of(
        server,
        "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
          + "Connection: close\r\nContent-Length: 3\r\n\r\na=b")
      try form.expectError(415, code: "unsupported_media_type")
      let packed = try await server.send("POST", "/v1/completions", "{}", headers: ["Content-Encoding: gzip"])
      try packed.expectError(415)
    }
  }

  @Test func requestsTheModelCannotServeAreRefusedByField() async throws {
    try await TestServer.run { server in
      let long = String(repeating: "fox ", count: 700)
      try await server.post("/v1/completions", #"{"prompt": "\#(long)"}"#).expectError(
        400, code: "context_length_exceeded", param: "prompt")
      for (fields, param) in [
        (#""prompt": """#, "prompt"), (#""prompt": [99999]"#, "prompt"),
        (#""prompt": "a", "top_p": 2"#, "top_p"),
        (#""prompt": "a", "temperature": -1"#, "temperature"), (#""prompt": "a", "stop": [""]"#, "stop"),
        (#""prompt": "a", "min_tokens": 20"#, "min_tokens"),
        (#""prompt": "a", "stop_token_ids": [9999]"#, "stop_token_ids"),
        (#""prompt": "a", "presence_penalty": 3"#, "presence_penalty"),
        (#""prompt": "a", "logit_bias": {"5": 101}"#, "logit_bias[5]"), (#""prompt": ["a", ""]"#, "prompt"),
        (#""prompt": "a", "response_format": {"type": "json_object"}"#, "response_format"),
        (#""prompt": ["a", "b"], "n": 60"#, "n"),
      ] {
        try await server.post("/v1/completions", "{\(fields)}").expectError(400, param: param)
      }
      try await server.post(
        "/v1/chat/completions",
        #"{"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function", "function": {"name": "f"}}]}"#
      ).expectError(400, param: "tools")
      #expect(server.metrics.requestsTotal == 0)
    }
  }

  @Test func textBecomesTokensAndTextAgain() async throws {
    try await TestServer.run { server in
      let reply = try await server.post(
        "/tokenize", #"{"prompt": "Tell me about the fox", "return_token_strs": true}"#
      ).json
      #expect(reply["count"].integer == 5)
      #expect(reply["max_model_len"].integer == 512)
      #expect(reply["token_strs"].array.count == 5)
      let ids = reply["tokens"].array.map { "\($0.integer!)" }.joined(separator: ",")
      #expect(
        try await server.post("/detokenize", #"{"tokens": [\#(ids)]}"#).json["prompt"].string
          == "Tell me about the fox")
      let chat = try await server.post(
        "/tokenize", #"{"messages": [{"role": "user", "content": "Tell me about the fox"}]}"#)
      #expect(try chat.json["tokens"] == reply["tokens"])
      try await server.post("/detokenize", #"{"tokens": [99999]}"#).expectError(400, param: "tokens")
      try await server.post("/tokenize", #"{"prompt": "a", "messages": []}"#).expectError(
        400, param: "messages")
      // Long ones are encoded beside the others.
      let long = String(repeating: "fox ", count: 20_000)
      #expect(try await server.post("/tokenize", #"{"prompt": "\#(long)"}"#).json["count"].integer! > 19_000)
    }
  }

  @Test func slotsAndLoadShowWhatRuns() async throws {
    try await TestServer.run(TestServer.Options(slots: 2, stepDelay: 0.005)) { server in
      let client = try RawClient(port: server.port)
      await client.send(
        TestServer.request(
          "POST", "/v1/completions",
          #"{"prompt": "Tell me", "n": 3, "max_tokens": 400, "ignore_eos": true}"#))
      await server.wait("two run") {
        server.metrics.requestsRunning == 2 && server.metrics.generationTokensTotal > 8
      }
      let slots = try await server.send("GET", "/slots").json
      #expect(slots.array.count == 2)
      #expect(slots[0]["is_processing"].value == .boolean(true))
      #expect(slots[0]["state"].string == "decode")
      #expect(slots[0]["generated_tokens"].integer! > 1)
      let load = try await server.send("GET", "/load").json
      #expect(load["running"].integer == 2)
      #expect(load["waiting"].integer == 1)
      #expect(
        try await server.send("GET", "/metrics").body.contains(
          "apus:num_requests_running{model_name=\"apus-stories\"} 2"))
    }
  }
}

enum RawClientReply {
  static func of(_ server: TestServer, _ text: String) async throws -> HTTPReply {
    let client = try RawClient(port: server.port)
    await client.send(text)
    return try HTTPReply(await client.receiveAll())
  }
}

@Suite struct ChatTests {
  private static let fox =
    #"{"messages": [{"role": "user", "content": "Tell me about the fox"}], "max_completion_tokens": 12, "temperature": 0"#

  @Test func answersWithTheShapeOfOpenAI() async throws {
    try await TestServer.run { server in
      let reply = try await server.post(
        "/v1/chat/completions", Self.fox + #", "logprobs": true, "top_logprobs": 2}"#
      ).json
      #expect(reply["object"].string == "chat.completion")
      let choice = reply["choices"][0]
      #expect(choice.keys == ["index", "message", "logprobs", "finish_reason"])
      #expect(choice["message"].keys == ["role", "content", "refusal"])
      let completion = try await server.post(
        "/v1/completions", #"{"prompt": "Tell me about the fox", "max_tokens": 12, "temperature": 0}"#
      ).json
      #expect(choice["message"]["content"] == completion["choices"][0]["text"])
      let content = choice["logprobs"]["content"]
      #expect(content.array.count == 12)
      #expect(content.array.compactMap { $0["token"].string }.joined() == choice["message"]["content"].string)
      #expect(content[0].keys == ["token", "logprob", "bytes", "top_logprobs"])
      #expect(content[0]["bytes"].array.compactMap(\.integer) == [10, 10])
      #expect(content[0]["top_logprobs"].array.count == 2)
    }
  }

  @Test func aStreamBeginsWithTheRoleAndHoldsTheSame() async throws {
    try await TestServer.run { server in
      let whole = try await server.post("/v1/chat/completions", Self.fox + "}").json["choices"][0]
      let events = try await server.post("/v1/chat/completions", Self.fox + #", "stream": true}"#).events
      #expect(events[0]["object"].string == "chat.completion.chunk")
      #expect(events[0]["choices"][0]["delta"]["role"].string == "assistant")
      #expect(
        events.compactMap { $0["choices"][0]["delta"]["content"].string }.joined()
          == whole["message"]["content"].string)
      #expect(events.last?["choices"][0]["finish_reason"].string == "length")
    }
  }

  /// Makes prompts that hold calls, which the model is then held to say again.
  private struct ToolRenderer: ChatRenderer {
    var addsSpecialTokens: Bool { true }
    var toolCallFormat: ToolCallFormat? { .hermes }
    func prompt(of conversation: ChatConversation) throws -> String {
      if conversation.messages.count > 1 { throw ChatRenderingError("one message at a time") }
      return "tools \(conversation.tools.count)"
    }
  }

  /// Allows one sequence of tokens.
  private struct Fixed: TokenConstraint {
    var tokens: [Int32]
    mutating func allowedTokens(into mask: inout TokenMask) {
      mask.removeAll()
      if let token = tokens.first { mask[token] = true }
    }
    mutating func advance(_ token: Int32) { tokens.removeFirst() }
    var isComplete: Bool { tokens.isEmpty }
  }

  private struct FixedCompiler: FormatCompiler {
    func constraint(for format: RequestedFormat) throws -> any TokenConstraint {
      guard case .jsonSchema(let schema) = format else { throw ChatRenderingError("no such language") }
      let isList = TestJSON(schema)["type"].string == "array"
      let text = isList ? #"[{"name": "f", "parameters": {"a": 1}}]"# : #"{"a": 1}"#
      return Fixed(tokens: try TestServer.model(TestServer.Options()).tokenizer.encode(text))
    }
  }

  private static let tool =
    #", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]"#

  @Test func forcedToolsAreCalled() async throws {
    try await TestServer.run(TestServer.Options(renderer: ToolRenderer(), compiler: FixedCompiler())) {
      server in
      let head = #"{"messages": [{"role": "user", "content": "a"}]"# + Self.tool
      for choice in [#""required""#, #"{"type": "function", "function": {"name": "f"}}"#] {
        let body = head + #", "tool_choice": \#(choice)"#
        let answer = try await server.post("/v1/chat/completions", body + "}").json["choices"][0]
        #expect(answer["message"]["content"].isNull)
        #expect(answer["message"]["tool_calls"][0]["function"]["name"].string == "f")
        #expect(answer["message"]["tool_calls"][0]["function"]["arguments"].string == #"{"a": 1}"#)
        #expect(answer["finish_reason"].string == "tool_calls")
        let events = try await server.post("/v1/chat/completions", body + #", "stream": true}"#).events
        let calls = events.flatMap { $0["choices"][0]["delta"]["tool_calls"].array }
        #expect(calls.map { $0["index"].integer } == [0])
        #expect(calls[0]["function"]["arguments"].string == #"{"a": 1}"#)
      }
      try await server.post(
        "/v1/chat/completions",
        #"{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}"#
      ).expectError(400, param: "messages", message: "one message at a time")
      try await server.post(
        "/v1/chat/completions", #"{"messages": [{"role": "user", "content": "a"}], "guided_regex": "a"}"#
      ).expectError(400, param: "response_format", message: "no such language")
    }
  }
}
