import ApusCheckpoint
public import ApusTemplate

/// Renders conversations by the model's own chat template.
public struct TemplateChatRenderer: ChatRenderer {
  private let template: ChatTemplate
  public let toolCallFormat: ToolCallFormat?

  public init(_ template: ChatTemplate) {
    self.template = template
    // A template that takes tools says how calls of them are written.
    if !template.mentions("tools") {
      toolCallFormat = nil
    } else if template.mentions("<tool_call>") {
      toolCallFormat = .hermes
    } else {
      toolCallFormat = template.mentions("<|python_tag|>") ? .llama3 : nil
    }
  }

  public var addsSpecialTokens: Bool { false }

  public func prompt(of conversation: ChatConversation) throws -> String {
    let messages = conversation.messages.compactMap { message in
      if case .object(let members) = message { ChatMessage(members) } else { nil }
    }
    do throws(ChatTemplateError) {
      return try template.render(
        messages: messages, tools: conversation.tools.isEmpty ? nil : conversation.tools,
        options: ChatOptions(
          addGenerationPrompt: conversation.addsGenerationPrompt,
          continueFinalMessage: conversation.continuesFinalMessage,
          variables: conversation.templateArguments))
    } catch { throw ChatRenderingError(error.description) }
  }
}
