import ApusEngine
import Testing
@testable import ApusServer

@Suite struct ToolCallParserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var format: ToolCallFormat
    var text: String
    var content: String
    var calls: [ToolCall]
    var testDescription: String { text }
  }

  private static let weather = ToolCall(name: "weather", arguments: #"{"city": "Paris"}"#)

  static let cases = [
    Case(format: .hermes, text: "Just text.\n", content: "Just text.\n", calls: []),
    Case(
      format: .hermes,
      text: #"<tool_call>\#n{"name": "weather", "arguments": {"city": "Paris"}}\#n</tool_call>"#,
      content: "", calls: [weather]),
    Case(
      format: .hermes,
      text: #"Let me look.\#n<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>\#n"#,
      content: "Let me look.", calls: [weather]),
    Case(
      format: .hermes,
      text: #"<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call> <tool_call>"#
        + #"{"arguments": {}, "name": "now"}</tool_call>"#,
      content: "", calls: [weather, ToolCall(name: "now", arguments: "{}")]),
    // The mark inside a string is text of the argument.
    Case(
      format: .hermes,
      text: #"<tool_call>{"name": "say", "arguments": {"a": "}</tool_call>\"{"}}</tool_call>."#,
      content: ".", calls: [ToolCall(name: "say", arguments: #"{"a": "}</tool_call>\"{"}"#)]),
    // No closing mark.
    Case(
      format: .hermes, text: #"<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}"#, content: "",
      calls: [weather]),
    Case(
      format: .hermes, text: #"<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool"#,
      content: "", calls: [weather]),
    // Cut short, no JSON, no name: content as it is.
    Case(
      format: .hermes, text: #"<tool_call>{"name": "weather", "argu"#,
      content: #"<tool_call>{"name": "weather", "argu"#, calls: []),
    Case(
      format: .hermes, text: "<tool_call>{name: weather}</tool_call>",
      content: "<tool_call>{name: weather}</tool_call>", calls: []),
    Case(
      format: .hermes, text: #"<tool_call>{"arguments": {}}</tool_call>"#,
      content: #"<tool_call>{"arguments": {}}</tool_call>"#, calls: []),
    Case(format: .hermes, text: "a <tool_ b <<tool_call> c", content: "a <tool_ b <<tool_call> c", calls: []),
    Case(format: .hermes, text: "<tool_call", content: "<tool_call", calls: []),
    Case(format: .hermes, text: "  ", content: "  ", calls: []),
    Case(
      format: .hermes, text: #"<tool_call>{"name": "f", "arguments": "{\"a\": 1}"}</tool_call>"#, content: "",
      calls: [ToolCall(name: "f", arguments: #"{"a": 1}"#)]),
    Case(
      format: .llama3, text: #"{"name": "weather", "parameters": {"city": "Paris"}}"#, content: "",
      calls: [weather]),
    Case(
      format: .llama3, text: #" {"name": "weather", "parameters": {"city": "Paris"}}; {"name": "now"}"#,
      content: "", calls: [weather, ToolCall(name: "now", arguments: "{}")]),
    Case(format: .llama3, text: #"{"answer": 4} is JSON"#, content: #"{"answer": 4} is JSON"#, calls: []),
    Case(format: .llama3, text: #"See {"name": "x"}"#, content: #"See {"name": "x"}"#, calls: []),
    Case(
      format: .llama3, text: #"{"name": "é", "parameters": {"a": "ü\n"}}"#, content: "",
      calls: [ToolCall(name: "é", arguments: #"{"a": "ü\n"}"#)]),
  ]

  private func run(_ pieces: [String], _ format: ToolCallFormat) -> (content: String, calls: [ToolCall]) {
    var parser = ToolCallParser(format)
    var content = ""
    var calls: [ToolCall] = []
    for event in pieces.flatMap({ parser.append($0) }) + parser.finish() {
      switch event {
      case .content(let text): content += text
      case .call(let call): calls.append(call)
      }
    }
    return (content, calls)
  }

  @Test(arguments: cases) func findsCallsAndLeavesTheRest(_ test: Case) {
    let found = run([test.text], test.format)
    #expect(found.content == test.content)
    #expect(found.calls == test.calls)
  }

  @Test(arguments: cases) func findsTheSameHoweverTheTextIsCut(_ test: Case) {
    let characters = test.text.map { String($0) }
    for size in 1...5 {
      let pieces = stride(from: 0, to: characters.count, by: size).map {
        characters[$0..<min($0 + size, characters.count)].joined()
      }
      let found = run(pieces, test.format)
      #expect(found.content == test.content)
      #expect(found.calls == test.calls)
    }
  }

  @Test func contentIsGivenAwayAsSoonAsItIsNoCall() {
    var parser = ToolCallParser(.hermes)
    #expect(parser.append("Hello") == [.content("Hello")])
    #expect(parser.append(" <tool") == [])
    #expect(parser.append("box") == [.content(" <toolbox")])
  }
}

@Suite struct ChatOutputTests {
  private func delta(_ text: String, _ finish: Bool = false) -> ChoiceDelta {
    var delta = ChoiceDelta()
    delta.text = text
    if finish { delta.finish = .stopCondition }
    return delta
  }

  private func run(_ mode: ChatOutputMode, _ text: String, callCountMax: Int = .max) -> ChatDelta {
    var output = ChatOutput(mode, callCountMax: callCountMax) { "id" }
    var whole = ChatDelta()
    for character in text {
      let next = output.append(delta(String(character)))
      whole.content += next.content
      whole.calls += next.calls
    }
    let last = output.append(delta("", true))
    whole.content += last.content
    whole.calls += last.calls
    whole.finishReason = last.finishReason
    return whole
  }

  @Test func aForcedFunctionTakesTheWholeTextAsItsArguments() {
    let found = run(.arguments(name: "f"), #"{"a": 1}"#)
    #expect(found.calls == [ChatCall(index: 0, id: "id", call: ToolCall(name: "f", arguments: #"{"a": 1}"#))])
    #expect(found.finishReason == "tool_calls")
    #expect(found.content.isEmpty)
  }

  @Test func aListOfRequiredCallsIsTakenApart() {
    let text = #" [{"name": "f", "parameters": {"a": [1, 2]}}, {"name": "g", "parameters": {}}]"#
    #expect(run(.calls, text).calls.map(\.call.name) == ["f", "g"])
    #expect(run(.calls, text).calls.map(\.call.arguments) == [#"{"a": [1, 2]}"#, "{}"])
    #expect(run(.calls, text, callCountMax: 1).calls.map(\.call.name) == ["f"])
    #expect(run(.calls, #"[{"name": "f""#).content == #"[{"name": "f""#)
  }

  @Test func anAnswerWithoutACallEndsAsItEnded() {
    #expect(run(.parsed(.hermes), "Hello").finishReason == "stop")
    #expect(run(.content, "{\"name\": 1}").content == "{\"name\": 1}")
  }
}
