import ApusEngine
package import ApusTokenizer

/// What a completion request is answered with, whole or in chunks.
package struct CompletionResponse: Sendable {
  package let head: ResponseHead
  /// Set if log-probabilities were asked for.
  private let logprobs: LogprobsText?

  package init(head: ResponseHead, logprobsOf tokenizer: Tokenizer?) {
    self.head = head
    logprobs = tokenizer.map { LogprobsText($0) }
  }

  /// One of the choices of a whole answer.
  package func choice(_ delta: ChoiceDelta, index: Int) -> JSONText {
    choice(delta, index: index, isChunk: false)
  }

  private func choice(_ delta: ChoiceDelta, index: Int, isChunk: Bool) -> JSONText {
    [
      "text": .string(delta.text), "index": .integer(index),
      "logprobs": isChunk && delta.tokens.isEmpty
        ? .null : .optional(logprobs) { $0.completion(delta.tokens) },
      "finish_reason": .optional(delta.finish) { .string($0.name) },
    ]
  }

  package func whole(_ choices: [JSONText], usage: UsageSum) -> JSONText {
    head.object(
      "text_completion",
      [
        JSONText.Member(name: "choices", value: .array(choices)),
        JSONText.Member(name: "usage", value: usage.json),
      ])
  }

  /// - Parameter tellsUsage: the stream ends with a chunk of usage, so the others say that they have none.
  package func chunk(_ delta: ChoiceDelta, index: Int, tellsUsage: Bool) -> JSONText {
    var members = [
      JSONText.Member(name: "choices", value: .array([choice(delta, index: index, isChunk: true)]))
    ]
    if tellsUsage { members.append(JSONText.Member(name: "usage", value: .null)) }
    return head.object("text_completion", members)
  }

  package func usageChunk(_ usage: UsageSum) -> JSONText {
    head.object(
      "text_completion",
      [
        JSONText.Member(name: "choices", value: .array([])),
        JSONText.Member(name: "usage", value: usage.json),
      ])
  }
}
