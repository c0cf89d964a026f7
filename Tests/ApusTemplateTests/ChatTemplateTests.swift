import ApusCheckpoint
import ApusTemplate
import Foundation
import Testing

/// Where chat templates come from, and which of several is used.
@Suite struct ChatTemplateTests {
  private let hello = [ChatMessage(role: "user", content: "Hello")]

  /// A folder with these files, for the time of `body`.
  private func withFolder(_ files: [String: String], _ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "chat-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      let url = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    try body(folder)
  }

  @Test func aFolderWithoutTemplateHasNone() throws {
    try withFolder(["tokenizer_config.json": #"{"bos_token": "<s>"}"#]) { folder in
      let template = try ChatTemplate(folder: folder)
      #expect(template == nil)
    }
  }

  @Test func tokensAreTextsOrObjectsWithTheirText() throws {
    let configuration = #"""
      {"chat_template": "{{ bos_token }}{{ eos_token }}{{ image_token }}{{ start }}{{ pad_token }}|{{ messages[0].content }}",
       "bos_token": {"__type": "AddedToken", "content": "<s>"}, "eos_token": "</s>", "image_token": "<img>",
       "extra_special_tokens": {"start": "<go>"}, "pad_token": null, "added_tokens_decoder": {}}
      """#
    try withFolder([
      "tokenizer_config.json": configuration, "special_tokens_map.json": #"{"eos_token": "no"}"#,
    ]) {
      let template = try #require(try ChatTemplate(folder: $0))
      #expect(try template.render(messages: hello) == "<s></s><img><go>|Hello")
    }
  }

  @Test func aTemplateFileComesBeforeTheConfiguration() throws {
    let files = [
      "tokenizer_config.json": #"{"chat_template": "configuration"}"#, "chat_template.jinja": "file",
      "chat_template.json": #"{"chat_template": "legacy"}"#, "additional_chat_templates/rag.jinja": "rag",
    ]
    try withFolder(files) { folder in
      let template = try #require(try ChatTemplate(folder: folder))
      #expect(template.names == ["default", "rag"])
      #expect(try template.render(messages: hello) == "file")
      #expect(try template.render(messages: hello, options: ChatOptions(template: "rag")) == "rag")
      try FileManager.default.removeItem(at: folder.appending(path: "chat_template.jinja"))
      try FileManager.default.removeItem(at: folder.appending(path: "additional_chat_templates"))
      #expect(try ChatTemplate(folder: folder)?.render(messages: hello) == "configuration")
      try FileManager.default.removeItem(at: folder.appending(path: "tokenizer_config.json"))
      #expect(try ChatTemplate(folder: folder)?.render(messages: hello) == "legacy")
    }
  }

  @Test func ofNamedTemplatesToolsHaveTheirOwn() throws {
    let configuration = #"""
      {"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"},
                         {"name": "broken", "template": "{% include 'x' %}"}]}
      """#
    try withFolder(["tokenizer_config.json": configuration]) { folder in
      let template = try #require(try ChatTemplate(folder: folder))
      #expect(try template.render(messages: hello) == "d")
      #expect(try template.render(messages: hello, tools: []) == "t")
      #expect(
        throws: ChatTemplateError.template(
          name: "broken", .unsupported(line: 1, feature: "the tag 'include'"))
      ) {
        try template.render(messages: hello, options: ChatOptions(template: "broken"))
      }
      #expect(throws: ChatTemplateError.unknownTemplate(name: "x", names: ["default", "tool_use", "broken"]))
      {
        try template.render(messages: hello, options: ChatOptions(template: "x"))
      }
    }
  }

  @Test func filesThatAreWrongAreRefusedByName() throws {
    let wrong = [
      ("tokenizer_config.json", #"{"chat_template": 1}"#, "chat_template"),
      ("tokenizer_config.json", #"{"chat_template": [{"name": "default"}]}"#, "chat_template"),
      ("tokenizer_config.json", "{", "tokenizer_config.json"), ("chat_template.jinja", "{% if %}", "line 1"),
    ]
    for (name, text, said) in wrong {
      try withFolder([name: text]) { folder in
        #expect { _ = try ChatTemplate(folder: folder) } throws: {
          ($0 as? ChatTemplateError)?.description.contains(said) == true
        }
      }
    }
  }

  @Test func conversationsThatAreNoneAreRefused() throws {
    let template = try ChatTemplate(source: "{{ messages[-1].content }}")
    func refused(_ messages: [ChatMessage], tools: [JSONValue]? = nil, _ options: ChatOptions = ChatOptions())
    {
      #expect {
        _ = try template.render(messages: messages, tools: tools, options: options)
      } throws: {
        if case .invalidConversation? = $0 as? ChatTemplateError { true } else { false }
      }
    }
    refused([])
    refused(hello, tools: [.string("add")])
    refused(hello, ChatOptions(addGenerationPrompt: true, continueFinalMessage: true))
    refused(hello, ChatOptions(variables: JSONMembers([("messages", .null)])))
    refused([ChatMessage(JSONMembers([("role", .string("user"))]))], ChatOptions(continueFinalMessage: true))
    let deaf = try ChatTemplate(source: "{{ messages[-1]['cont' ~ 'ent'] }}{# content #}x")
    #expect(try deaf.render(messages: hello, options: ChatOptions(continueFinalMessage: true)) == "Hello")
    let trimming = try ChatTemplate(source: "[{{ messages[-1].content | trim }}]")
    let open = [ChatMessage(role: "assistant", content: "Once  ")]
    #expect(try trimming.render(messages: open, options: ChatOptions(continueFinalMessage: true)) == "[Once")
  }

  @Test func theTimeIsTheCallers() throws {
    let template = try ChatTemplate(
      source: "{{ strftime_now('%A %d %B %Y %j %I%p %H:%M:%S %y %-d %e %u %%') }}")
    let time = TemplateTime(year: 2024, month: 12, day: 1, hour: 0, minute: 9, second: 59)
    #expect(
      try template.render(messages: hello, options: ChatOptions(now: time))
        == "Sunday 01 December 2024 336 12AM 00:09:59 24 1  1 7 %")
  }

  @Test func aGGUFFileHasTemplatesAndTokens() throws {
    var file = GGUFText()
    file.add("general.architecture", "llama")
    file.add("tokenizer.chat_template", "{{ bos_token }}{{ eos_token }}{{ messages[0].content }}")
    file.add("tokenizer.chat_template.tool_use", "tools")
    file.add("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>"])
    file.add("tokenizer.ggml.bos_token_id", UInt32(1))
    file.add("tokenizer.ggml.eos_token_id", UInt32(2))
    let url = FileManager.default.temporaryDirectory.appending(path: "chat-\(UUID().uuidString).gguf")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(file.bytes).write(to: url)
    let template = try #require(try ChatTemplate(gguf: try GGUFFile(url)))
    #expect(template.names == ["default", "tool_use"])
    #expect(try template.render(messages: hello) == "<s></s>Hello")
    #expect(try template.render(messages: hello, tools: []) == "tools")
  }
}

/// A GGUF file (version 3) with metadata alone.
private struct GGUFText {
  private var entries: [UInt8] = []
  private var count: UInt64 = 0

  var bytes: [UInt8] {
    Array("GGUF".utf8) + Self.little(UInt32(3)) + Self.little(UInt64(0)) + Self.little(count) + entries
  }

  private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

  private mutating func add(_ key: String, type: UInt32, _ value: [UInt8]) {
    entries += Self.string(key) + Self.little(type) + value
    count += 1
  }

  mutating func add(_ key: String, _ value: String) { add(key, type: 8, Self.string(value)) }
  mutating func add(_ key: String, _ value: UInt32) { add(key, type: 4, Self.little(value)) }

  mutating func add(_ key: String, _ values: [String]) {
    add(
      key, type: 9, Self.little(UInt32(8)) + Self.little(UInt64(values.count)) + values.flatMap(Self.string))
  }
}
