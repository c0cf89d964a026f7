package import ApusEngine

/// What a request took, summed over its choices. A prompt counts once, however many choices it has.
package struct UsageSum: Sendable, Equatable {
  package var promptTokens = 0
  package var completionTokens = 0
  package var cachedTokens = 0

  package init() {}

  /// - Parameter isFirst: the choice is its prompt's first.
  package mutating func add(_ usage: Usage, isFirst: Bool) {
    completionTokens += usage.completionTokenCount
    guard isFirst else { return }
    promptTokens += usage.promptTokenCount
    cachedTokens += usage.cachedTokenCount
  }

  package var json: JSONText {
    [
      "prompt_tokens": .integer(promptTokens), "completion_tokens": .integer(completionTokens),
      "total_tokens": .integer(promptTokens + completionTokens),
      "prompt_tokens_details": ["cached_tokens": .integer(cachedTokens)],
    ]
  }
}

extension FinishReason {
  /// OpenAI's word for a natural end.
  var name: String {
    if case .length = self { "length" } else { "stop" }
  }
}
