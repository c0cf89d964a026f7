import ApusCheckpoint

/// The rendering of models without a chat template, which continue texts and know no roles: the contents of
/// all messages, one after the other, with a line's end between. So one user message is the prompt, as it is.
public struct PlainChatRenderer: ChatRenderer {
  public init() {}

  public var addsSpecialTokens: Bool { true }
  public var toolCallFormat: ToolCallFormat? { nil }

  public func prompt(of conversation: ChatConversation) throws -> String {
    guard conversation.templateArguments.count == 0 else {
      throw ChatRenderingError("the model has no chat template, expected no chat_template_kwargs")
    }
    var contents: [String] = []
    for message in conversation.messages {
      guard case .object(let members) = message else { continue }
      if case .string(let content)? = members["content"], !content.isEmpty { contents.append(content) }
    }
    return contents.joined(separator: "\n")
  }
}
