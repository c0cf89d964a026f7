import ApusTokenizer

/// What a chat request is answered with, whole or in chunks.
struct ChatResponse: Sendable {
  let head: ResponseHead
  /// Set if log-probabilities were asked for.
  private let logprobs: LogprobsText?

  init(head: ResponseHead, logprobsOf tokenizer: Tokenizer?) {
    self.head = head
    logprobs = tokenizer.map { LogprobsText($0) }
  }

  /// One of the choices of a whole answer.
  func choice(_ delta: ChatDelta, index: Int) -> JSONText {
    var message = [
      JSONText.Member(name: "role", value: "assistant"),
      JSONText.Member(
        name: "content", value: delta.content.isEmpty && !delta.calls.isEmpty ? .null : .string(delta.content)
      ),
      JSONText.Member(name: "refusal", value: .null),
    ]
    if !delta.calls.isEmpty {
      message.append(
        JSONText.Member(name: "tool_calls", value: .array(delta.calls.map { call($0, isChunk: false) })))
    }
    return [
      "index": .integer(index), "message": .object(message),
      "logprobs": .optional(logprobs) { $0.chat(delta.tokens) },
      "finish_reason": .optional(delta.finishReason) { .string($0) },
    ]
  }

  private func call(_ call: ChatCall, isChunk: Bool) -> JSONText {
    let function: JSONText = ["name": .string(call.call.name), "arguments": .string(call.call.arguments)]
    return isChunk
      ? ["index": .integer(call.index), "id": .string(call.id), "type": "function", "function": function]
      : ["id": .string(call.id), "type": "function", "function": function]
  }

  func whole(_ choices: [JSONText], usage: UsageSum) -> JSONText {
    head.object(
      "chat.completion",
      [
        JSONText.Member(name: "choices", value: .array(choices)),
        JSONText.Member(name: "usage", value: usage.json),
      ])
  }

  /// The first chunk of a choice: whose answer it is.
  func roleChunk(index: Int, tellsUsage: Bool) -> JSONText {
    chunk(["role": "assistant", "content": ""], ChatDelta(), index: index, tellsUsage: tellsUsage)
  }

  func chunk(_ delta: ChatDelta, index: Int, tellsUsage: Bool) -> JSONText {
    var members: [JSONText.Member] = []
    if !delta.content.isEmpty {
      members.append(JSONText.Member(name: "content", value: .string(delta.content)))
    }
    if !delta.calls.isEmpty {
      members.append(
        JSONText.Member(name: "tool_calls", value: .array(delta.calls.map { call($0, isChunk: true) })))
    }
    return chunk(.object(members), delta, index: index, tellsUsage: tellsUsage)
  }

  private func chunk(_ content: JSONText, _ delta: ChatDelta, index: Int, tellsUsage: Bool) -> JSONText {
    let choice: JSONText = [
      "index": .integer(index), "delta": content,
      "logprobs": delta.tokens.isEmpty ? .null : .optional(logprobs) { $0.chat(delta.tokens) },
      "finish_reason": .optional(delta.finishReason) { .string($0) },
    ]
    var members = [JSONText.Member(name: "choices", value: .array([choice]))]
    if tellsUsage { members.append(JSONText.Member(name: "usage", value: .null)) }
    return head.object("chat.completion.chunk", members)
  }

  func usageChunk(_ usage: UsageSum) -> JSONText {
    head.object(
      "chat.completion.chunk",
      [
        JSONText.Member(name: "choices", value: .array([])),
        JSONText.Member(name: "usage", value: usage.json),
      ])
  }
}
