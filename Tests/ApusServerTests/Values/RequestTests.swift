import ApusCheckpoint
import ApusEngine
import Testing

@testable import ApusServer

/// Decoding and checking of requests, without a model.
@Suite struct RequestTests {
  static func fields(_ text: String) throws -> RequestFields {
    var text = text
    return try text.withUTF8 { (bytes) throws(APIError) in
      try RequestFields(parsing: UnsafeRawBufferPointer(bytes))
    }
  }

  private func completion(_ text: String) throws -> CompletionRequest {
    try CompletionRequest(Self.fields(text))
  }

  private func chat(_ fields: String) throws -> ChatRequest {
    try ChatRequest(Self.fields(#"{"messages": [{"role": "user", "content": "Hi"}]"# + fields + "}"))
  }

  private func refusal(
    _ text: String, chat: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> APIError {
    do {
      if chat { _ = try self.chat(text) } else { _ = try completion(text) }
    } catch { return try #require(error as? APIError) }
    Issue.record("not refused: \(text)", sourceLocation: sourceLocation)
    return .draining
  }

  @Test func theDefaultsAreOpenAIs() throws {
    let request = try completion(#"{"prompt": "a"}"#)
    #expect(request.prompts == [.text("a")])
    #expect(request.common.sampling == SamplingParameters(temperature: 1, maxTokens: 16))
    #expect(request.common.choiceCount == 1)
    #expect(!request.common.isStreamed)
    #expect(try chat("").common.sampling.maxTokens == nil)
  }

  @Test func fieldsThatAreNullCountAsAbsent() throws {
    let request = try completion(
      #"{"prompt": "a", "stop": null, "n": null, "suffix": null, "best_of": null, "unheard_of": null}"#)
    #expect(request.common.stop.isEmpty)
  }

  @Test func fieldsAreReadIntoSamplingParameters() throws {
    let request = try completion(
      #"""
      {"prompt": [1, 2], "temperature": 0.5, "top_p": 0.9, "top_k": -1, "min_p": 0.1, "seed": -7, "n": 2,
       "best_of": 2, "stop": "x", "presence_penalty": 1, "frequency_penalty": -1, "repetition_penalty": 1.1,
       "logit_bias": {"5": -100}, "max_tokens": 3, "min_tokens": 1, "ignore_eos": true, "stop_token_ids": [4],
       "allowed_token_ids": [4, 5], "logprobs": 5, "priority": 3, "user": "u", "stream": true,
       "stream_options": {"include_usage": true}, "skip_special_tokens": false, "metadata": {"a": "b"}}
      """#)
    var expected = SamplingParameters(
      temperature: 0.5, topK: 0, topP: 0.9, minP: 0.1, seed: UInt64(bitPattern: -7), maxTokens: 3,
      stopTokenIDs: [4], ignoreEOS: true, logprobs: 5, minTokens: 1, logitBias: [5: -100],
      repetitionPenalty: 1.1, presencePenalty: 1, frequencyPenalty: -1, allowedTokenIDs: [4, 5])
    expected.promptLogprobs = nil
    #expect(request.common.sampling == expected)
    #expect(request.prompts == [.tokens([1, 2])])
    #expect(request.common.stop == ["x"])
    #expect(request.common.priority == 3)
    #expect(request.common.includesUsage)
    #expect(!request.common.skipsSpecialTokens)
  }

  static let badCompletions: [(text: String, param: String?)] = [
    (#"{}"#, "prompt"), (#"{"prompt": 5}"#, "prompt"), (#"{"prompt": []}"#, "prompt"),
    (#"{"prompt": [1, "a"]}"#, "prompt"), (#"{"prompt": ["a", [1.5]]}"#, "prompt"),
    (#"{"prompt": [-1]}"#, "prompt"), (#"{"prompt": [4294967296]}"#, "prompt"),
    (#"{"prompt": "a", "n": 0}"#, "n"), (#"{"prompt": "a", "n": 1000}"#, "n"),
    (#"{"prompt": "a", "n": 1, "best_of": 2}"#, "best_of"), (#"{"prompt": "a", "suffix": "b"}"#, "suffix"),
    (#"{"prompt": "a", "max_tokens": 0}"#, "max_tokens"),
    (#"{"prompt": "a", "max_tokens": "5"}"#, "max_tokens"),
    (#"{"prompt": "a", "logprobs": 21}"#, "logprobs"),
    (#"{"prompt": "a", "temperature": "x"}"#, "temperature"),
    (#"{"prompt": "a", "stream": 1}"#, "stream"), (#"{"prompt": "a", "stop": [1]}"#, "stop"),
    (#"{"prompt": "a", "stream_options": {}}"#, "stream_options"),
    (#"{"prompt": "a", "stream": true, "stream_options": {"x": 1}}"#, "stream_options.x"),
    (#"{"prompt": "a", "logit_bias": {"a": 1}}"#, "logit_bias"),
    (#"{"prompt": "a", "logit_bias": {"1": "a"}}"#, "logit_bias.1"),
    (#"{"prompt": "a", "temprature": 1}"#, "temprature"),
    (#"{"prompt": "a", "mirostat": 2}"#, "mirostat"), (#"{"prompt": "a", "messages": []}"#, "messages"),
    (#"{"prompt": "a", "priority": 5000}"#, "priority"),
    (#"{"prompt": "a", "prompt_logprobs": 1}"#, "prompt_logprobs"),
    (#"{"prompt": "a", "response_format": {"type": "xml"}}"#, "response_format.type"),
    (#"{"prompt": "a", "guided_regex": "a", "guided_json": {}}"#, "guided_regex"),
    (#"{"prompt": "a", "prompt": "b"}"#, nil), (#"{"prompt": "a""#, nil), (#"[1]"#, nil), ("", nil),
    (#"{"prompt": "\ud800"}"#, nil), (#"{"prompt": "a", "temperature": NaN}"#, nil),
    (#"{"prompt": "a", "temperature": 1e999}"#, nil),
    (String(repeating: "[", count: 100_000), nil),
    (#"{"prompt":"# + String(repeating: #"{"a":"#, count: 1000), nil),
  ]

  @Test(arguments: badCompletions.indices) func badCompletionsAreRefusedByField(_ index: Int) throws {
    let (text, param) = Self.badCompletions[index]
    let error = try refusal(text)
    #expect(error.status == 400)
    #expect(error.param == param, "\(error)")
  }

  static let badChats: [(text: String, param: String)] = [
    (#", "max_tokens": 1, "max_completion_tokens": 2"#, "max_tokens"),
    (#", "top_logprobs": 2"#, "top_logprobs"),
    (#", "logprobs": 2"#, "logprobs"), (#", "logprobs": true, "top_logprobs": 21"#, "top_logprobs"),
    (#", "tool_choice": "required""#, "tool_choice"), (#", "tool_choice": "any""#, "tool_choice"),
    (#", "tools": [{"type": "retrieval"}]"#, "tools[0].type"),
    (#", "tools": [{"type": "function", "function": {"name": "a b"}}]"#, "tools[0].function.name"),
    (
      #", "tools": [{"type": "function", "function": {"name": "a"}}], "tool_choice": "#
        + #"{"type": "function", "function": {"name": "b"}}"#, "tool_choice"
    ),
    (#", "functions": []"#, "functions"), (#", "chat_template": "x""#, "chat_template"),
    (#", "continue_final_message": true, "add_generation_prompt": true"#, "continue_final_message"),
    (#", "reasoning_effort": "high""#, "reasoning_effort"), (#", "modalities": ["audio"]"#, "modalities"),
    (
      #", "response_format": {"type": "json_object"}, "tools": [{"type": "function", "#
        + #""function": {"name": "a"}}]"#, "response_format"
    ),
  ]

  @Test(arguments: badChats.indices) func badChatsAreRefusedByField(_ index: Int) throws {
    let error = try refusal(Self.badChats[index].text, chat: true)
    #expect(error.status == 400)
    #expect(error.param == Self.badChats[index].param, "\(error)")
  }

  static let badMessages: [(text: String, param: String)] = [
    (#"{"messages": []}"#, "messages"), (#"{"messages": "hi"}"#, "messages"),
    (#"{"messages": [1]}"#, "messages[0]"),
    (#"{"messages": [{"role": "robot", "content": "a"}]}"#, "messages[0].role"),
    (#"{"messages": [{"role": "user"}]}"#, "messages[0].content"),
    (#"{"messages": [{"role": "user", "content": 1}]}"#, "messages[0].content"),
    (#"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#, "messages[0].content[0]"),
    (#"{"messages": [{"role": "user", "content": "a", "tool_calls": []}, 1]}"#, "messages[0].tool_calls"),
    (
      #"{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a", "arguments": "[1]"}}]}]}"#,
      "messages[0].tool_calls[0].function.arguments"
    ),
  ]

  @Test(arguments: badMessages.indices) func badMessagesAreRefusedByField(_ index: Int) throws {
    do {
      _ = try ChatRequest(Self.fields(Self.badMessages[index].text))
      Issue.record("not refused")
    } catch let error as APIError { #expect(error.param == Self.badMessages[index].param, "\(error)") }
  }

  @Test func messagesAreBroughtIntoTheFormOfTemplates() throws {
    let request = try ChatRequest(
      Self.fields(
        #"""
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
          {"role": "assistant", "content": null, "refusal": null, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "f", "arguments": "{\"x\": 1}"}}]},
          {"role": "tool", "tool_call_id": "1", "content": "4"}],
         "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}
        """#))
    let messages = request.conversation.messages.map { TestJSON($0) }
    #expect(messages[0]["role"].string == "system")
    #expect(messages[0]["content"].string == "a\nb")
    #expect(messages[1]["tool_calls"][0]["function"]["arguments"]["x"].integer == 1)
    #expect(messages[2]["tool_call_id"].string == "1")
    #expect(request.conversation.tools.count == 1)
    #expect(request.toolChoice == .auto)
    #expect(request.conversation.addsGenerationPrompt)
  }

  @Test func toolsThatMayNotBeCalledAreNotShown() throws {
    let request = try chat(
      #", "tool_choice": "none", "tools": [{"type": "function", "function": {"name": "f"}}]"#)
    #expect(request.conversation.tools.isEmpty)
    #expect(request.toolChoice == .none)
  }

  @Test func aForcedToolIsALanguage() throws {
    let tools =
      #", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]"#
    let named = try chat(tools + #", "tool_choice": {"type": "function", "function": {"name": "f"}}"#)
    #expect(named.common.outputFormat == .jsonSchema(.object(JSONMembers([("type", .string("object"))]))))
    guard
      case .jsonSchema(let schema)? = try chat(tools + #", "tool_choice": "required""#).common.outputFormat
    else { return #expect(Bool(false)) }
    let json = TestJSON(schema)
    #expect(json["type"].string == "array")
    #expect(json["items"]["properties"]["name"]["const"].string == "f")
  }

  @Test func aForcedToolIsCalledOnceWhereCallsMayNotBeParallel() throws {
    let tools = #", "tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f"}}]"#
    let cases: [(String, Int?)] = [("", nil), (#", "parallel_tool_calls": false"#, 1)]
    for (fields, most) in cases {
      guard case .jsonSchema(let schema)? = try chat(tools + fields).common.outputFormat else {
        return #expect(Bool(false))
      }
      #expect(TestJSON(schema)["maxItems"].integer == most)
    }
  }

  @Test func languagesAreReadFromTheFieldsOfAllServers() throws {
    let schema = JSONValue.object(JSONMembers([("type", .string("object"))]))
    let cases: [(String, RequestedFormat?)] = [
      (#""response_format": {"type": "text"}"#, nil),
      (#""response_format": {"type": "json_object"}"#, .jsonObject),
      (
        #""response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": {"type": "object"}}}"#,
        .jsonSchema(schema)
      ), (#""structured_outputs": {"regex": "a+"}"#, .regex("a+")),
      (#""guided_choice": ["a", "b"]"#, .choice(["a", "b"])),
      (#""guided_json": "{\"type\": \"object\"}""#, .jsonSchema(schema)),
      (#""json_schema": {"type": "object"}"#, .jsonSchema(schema)),
      (#""grammar": "root ::= x""#, .grammar("root ::= x")),
    ]
    for (text, format) in cases {
      #expect(try completion(#"{"prompt": "a", "# + text + "}").common.outputFormat == format, "\(text)")
    }
  }
}
