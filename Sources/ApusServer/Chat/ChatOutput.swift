import ApusCheckpoint
import ApusEngine

/// How the text of an answer is read.
enum ChatOutputMode: Sendable, Equatable {
  /// All of it is content.
  case content
  /// Calls of tools stand in it, as the model writes them.
  case parsed(ToolCallFormat)
  /// All of it is the arguments of one call.
  case arguments(name: String)
  /// All of it is a JSON array of calls.
  case calls
}

/// What became of an answer since it was last looked at.
struct ChatDelta: Sendable, Equatable {
  var content = ""
  /// With their place among the answer's calls.
  var calls: [ChatCall] = []
  var tokens: [LoggedToken] = []
  var finishReason: String?

  var isEmpty: Bool { content.isEmpty && calls.isEmpty && tokens.isEmpty && finishReason == nil }
}

struct ChatCall: Sendable, Equatable {
  var index: Int
  var id: String
  var call: ToolCall
}

/// Turns the text of one choice into content and calls of tools, as it comes. A call is given away whole.
struct ChatOutput: Sendable {
  private let mode: ChatOutputMode
  private let callCountMax: Int
  private let makeID: @Sendable () -> String
  private var parser: ToolCallParser?
  /// Text of a forced call.
  private var forced: [UInt8] = []
  private var callCount = 0

  init(
    _ mode: ChatOutputMode, callCountMax: Int = .max,
    makeID: @escaping @Sendable () -> String = { "call_" + String.randomName() }
  ) {
    self.mode = mode
    self.callCountMax = callCountMax
    self.makeID = makeID
    if case .parsed(let format) = mode { parser = ToolCallParser(format) }
  }

  mutating func append(_ choice: ChoiceDelta) -> ChatDelta {
    var delta = ChatDelta()
    delta.tokens = choice.tokens
    switch mode {
    case .content: delta.content = choice.text
    case .parsed:
      add(parser!.append(choice.text), to: &delta)
      if choice.finish != nil { add(parser!.finish(), to: &delta) }
    case .arguments, .calls:
      forced += choice.text.utf8
      if choice.finish != nil { addForced(to: &delta) }
    }
    if let reason = choice.finish {
      delta.finishReason = callCount > 0 && reason.name == "stop" ? "tool_calls" : reason.name
    }
    return delta
  }

  private mutating func add(_ events: [ToolCallParser.Event], to delta: inout ChatDelta) {
    for event in events {
      switch event {
      case .content(let text): delta.content += text
      case .call(let call): add(call, to: &delta)
      }
    }
  }

  private mutating func add(_ call: ToolCall, to delta: inout ChatDelta) {
    guard callCount < callCountMax else { return }
    delta.calls.append(ChatCall(index: callCount, id: makeID(), call: call))
    callCount += 1
  }

  /// Text that a limit cut short is no JSON: as arguments it is given as it is, as a list of calls it is
  /// content.
  private mutating func addForced(to delta: inout ChatDelta) {
    let text = String(decoding: forced, as: UTF8.self)
    switch mode {
    case .arguments(let name): add(ToolCall(name: name, arguments: text), to: &delta)
    case .calls:
      guard case .array? = JSONSpan.value(forced) else {
        delta.content += text
        return
      }
      let start = forced.firstIndex { !JSONSpan.isSpace($0) } ?? 0
      for element in JSONSpan.elements(forced[start...]) {
        if let call = ToolCall(element, argumentKeys: ["parameters", "arguments"]) { add(call, to: &delta) }
      }
    case .content, .parsed: break
    }
  }
}
