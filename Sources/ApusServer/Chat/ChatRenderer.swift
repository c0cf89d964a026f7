public import ApusCheckpoint

/// Turns a conversation into the text that a model continues.
public protocol ChatRenderer: Sendable {
  /// The prompt.
  /// - Throws: `ChatRenderingError`: what it says is the client's to read.
  func prompt(of conversation: ChatConversation) throws -> String

  /// Whether the tokenizer's own special tokens belong around the prompt; templates write theirs themselves.
  var addsSpecialTokens: Bool { get }

  /// How the model writes calls of tools; nil: it knows none, and tools are refused.
  var toolCallFormat: ToolCallFormat? { get }
}

/// What a chat template is given. Messages and tools are as the client sent them, checked, with these
/// changes: text parts are one string, the role `developer` is `system`, and arguments of tool calls are the
/// object that their text holds.
public struct ChatConversation: Sendable, Equatable {
  /// Objects with `role` and `content`; of assistants also `tool_calls`, of tools `tool_call_id`.
  public var messages: [JSONValue]
  /// Objects with `type` and `function`.
  public var tools: [JSONValue]
  /// The prompt ends with what begins an answer.
  public var addsGenerationPrompt: Bool
  /// The last message is to be gone on with.
  public var continuesFinalMessage: Bool
  /// `chat_template_kwargs`: variables that the client sets for the template.
  public var templateArguments: JSONMembers

  package init(
    messages: [JSONValue], tools: [JSONValue] = [], addsGenerationPrompt: Bool = true,
    continuesFinalMessage: Bool = false, templateArguments: JSONMembers = JSONMembers()
  ) {
    self.messages = messages
    self.tools = tools
    self.addsGenerationPrompt = addsGenerationPrompt
    self.continuesFinalMessage = continuesFinalMessage
    self.templateArguments = templateArguments
  }
}

/// Why a conversation has no prompt: what the template says, or what the model cannot do.
public struct ChatRenderingError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
