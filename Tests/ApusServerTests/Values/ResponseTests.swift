import ApusEngine
import Testing

@testable import ApusServer

/// Responses, to the byte, in the shapes of OpenAI's API reference.
@Suite struct ResponseTests {
  private let head = ResponseHead(id: "cmpl-1", created: 1_700_000_000, model: "m", fingerprint: "f")

  private func delta(_ text: String, _ reason: FinishReason? = nil) -> ChoiceDelta {
    var delta = ChoiceDelta()
    delta.text = text
    delta.finish = reason
    return delta
  }

  private var usage: UsageSum {
    var usage = UsageSum()
    for isFirst in [true, false] {
      usage.add(
        Usage(
          promptTokenCount: 5, completionTokenCount: 7, cachedTokenCount: 3, seed: 0,
          timing: RequestTiming(queued: .zero)), isFirst: isFirst)
    }
    return usage
  }

  @Test func aCompletion() {
    let response = CompletionResponse(head: head, logprobsOf: nil)
    #expect(
      response.whole([response.choice(delta("\n\nYes", .length), index: 0)], usage: usage).text == """
        {"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","system_fingerprint":"f",\
        "choices":[{"text":"\\n\\nYes","index":0,"logprobs":null,"finish_reason":"length"}],\
        "usage":{"prompt_tokens":5,"completion_tokens":14,"total_tokens":19,\
        "prompt_tokens_details":{"cached_tokens":3}}}
        """)
  }

  @Test func chunksOfACompletion() {
    let response = CompletionResponse(head: head, logprobsOf: nil)
    #expect(
      response.chunk(delta("a"), index: 1, tellsUsage: true).text == """
        {"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","system_fingerprint":"f",\
        "choices":[{"text":"a","index":1,"logprobs":null,"finish_reason":null}],"usage":null}
        """)
    #expect(response.usageChunk(usage).text.contains(#""choices":[],"usage":{"prompt_tokens":5,"#))
  }

  @Test func aChatAnswer() {
    let response = ChatResponse(head: head, logprobsOf: nil)
    var answer = ChatDelta()
    answer.content = "Hello"
    answer.finishReason = "stop"
    #expect(
      response.choice(answer, index: 0).text == """
        {"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,\
        "finish_reason":"stop"}
        """)
    answer.content = ""
    answer.calls = [ChatCall(index: 0, id: "call_1", call: ToolCall(name: "f", arguments: #"{"a": 1}"#))]
    answer.finishReason = "tool_calls"
    #expect(
      response.choice(answer, index: 0).text == """
        {"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_1",\
        "type":"function","function":{"name":"f","arguments":"{\\"a\\": 1}"}}]},"logprobs":null,\
        "finish_reason":"tool_calls"}
        """)
  }

  @Test func chunksOfAChatAnswer() {
    let response = ChatResponse(head: head, logprobsOf: nil)
    let start =
      #"{"id":"cmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","#
      + #""system_fingerprint":"f","choices":[{"index":0,"delta":"#
    #expect(
      response.roleChunk(index: 0, tellsUsage: false).text
        == start + #"{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}"#)
    var delta = ChatDelta()
    delta.finishReason = "length"
    #expect(
      response.chunk(delta, index: 0, tellsUsage: false).text
        == start + #"{},"logprobs":null,"finish_reason":"length"}]}"#)
  }

  @Test func anError() {
    #expect(
      APIError.invalid("n", "n is 0, expected more").json.text == """
        {"error":{"message":"n is 0, expected more","type":"invalid_request_error","param":"n","code":null}}
        """)
    #expect(APIError(AdmissionError.queueFull(limit: 3), retryAfter: 2).status == 429)
    #expect(APIError(AdmissionError.draining, retryAfter: 2).status == 503)
    #expect(APIError(FinishReason.length) == nil)
    #expect(APIError(FinishReason.timedOut(.total))?.status == 504)
  }
}
