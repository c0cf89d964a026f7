import ApusCheckpoint

/// `POST /tokenize`, in vLLM's shape: a prompt, or messages.
package struct TokenizeRequest: Sendable {
  enum Input: Sendable {
    case text(String)
    case conversation(ChatConversation)
  }

  var model: String?
  var input: Input
  /// Nil: as the input asks for.
  var addsSpecialTokens: Bool?
  var returnsTokenTexts: Bool

  package init(_ fields: RequestFields) throws(APIError) {
    try fields.refuse(otherThan: [
      "model", "prompt", "messages", "add_special_tokens", "return_token_strs", "add_generation_prompt",
      "continue_final_message", "chat_template_kwargs", "tools",
    ])
    model = try fields.string("model")
    addsSpecialTokens = try fields.boolean("add_special_tokens")
    returnsTokenTexts = try fields.boolean("return_token_strs") ?? false
    if let prompt = try fields.string("prompt") {
      for key in ["messages", "tools", "chat_template_kwargs"] where fields[key] != nil {
        throw .invalid(key, "prompt and \(key) are set, expected prompt alone or messages")
      }
      input = .text(prompt)
    } else {
      guard fields["messages"] != nil else {
        throw fields.invalid("prompt", expected: "a string, or messages")
      }
      let continues = try fields.boolean("continue_final_message") ?? false
      input = .conversation(
        ChatConversation(
          messages: try ChatMessages.list(fields), tools: try Tool.list(fields).map(\.json),
          addsGenerationPrompt: try fields.boolean("add_generation_prompt") ?? !continues,
          continuesFinalMessage: continues,
          templateArguments: try fields.object("chat_template_kwargs")?.members ?? JSONMembers()))
    }
  }
}

/// `POST /detokenize`, in vLLM's shape.
package struct DetokenizeRequest: Sendable {
  var model: String?
  var tokens: [Int32]

  package init(_ fields: RequestFields) throws(APIError) {
    try fields.refuse(otherThan: ["model", "tokens"])
    model = try fields.string("model")
    guard let tokens = try fields.tokenIDs("tokens") else {
      throw fields.invalid("tokens", expected: "an array of token ids")
    }
    self.tokens = tokens
  }
}
