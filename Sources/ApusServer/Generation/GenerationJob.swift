package import ApusEngine

/// A prompt as the model gets it.
package struct EncodedPrompt: Sendable, Equatable {
  package var tokens: [Int32]
  /// As the client sent it; nil if it sent tokens.
  package var text: String?

  package init(tokens: [Int32], text: String?) {
    self.tokens = tokens
    self.text = text
  }
}

/// What a request wants of the engine.
package struct GenerationJob: Sendable {
  package var prompts: [EncodedPrompt]
  package var fields: GenerationFields
  package var echoes = false
  /// Nothing follows the echoed prompts.
  package var scoresOnly = false
  /// Whose request it is, for scheduling.
  package var tenant: String

  package init(prompts: [EncodedPrompt], fields: GenerationFields, tenant: String) {
    self.prompts = prompts
    self.fields = fields
    self.tenant = tenant
  }
}

/// One text that a request gets, on its way. Letting go of it ends it.
package struct Choice: Sendable {
  package let index: Int
  /// The first of its prompt, whose tokens count once.
  package let isFirst: Bool
  package let stream: TokenStream
  package let text: ChoiceText

  /// Reads to the end.
  func collect() async -> ChoiceDelta {
    let result = await stream.collect()
    var text = text
    var delta = ChoiceDelta()
    if let logprobs = result.promptLogprobs { delta.append(text.append(.promptLogprobs(logprobs))) }
    for token in result.tokens { delta.append(text.append(.token(token))) }
    delta.append(text.append(.finished(result.finishReason, result.usage)))
    return delta
  }
}
