public import ApusCheckpoint

/// One message of a conversation: a JSON object such as `{"role": "user", "content": "Hi"}`.
///
/// What else it holds (`tool_calls`, `tool_call_id`, `name`, `reasoning_content`, content in parts) is for the
/// template to know.
public struct ChatMessage: Sendable, Equatable {
  public var members: JSONMembers

  public init(_ members: JSONMembers) { self.members = members }

  public init(role: String, content: String) {
    members = JSONMembers([("role", .string(role)), ("content", .string(content))])
  }
}

/// What a conversation is rendered with, besides its messages and tools.
public struct ChatOptions: Sendable, Equatable {
  /// Whether the text ends where the assistant's next message begins.
  public var addGenerationPrompt = false
  /// Whether the last message is unfinished: the text then ends with it.
  public var continueFinalMessage = false
  /// Documents for templates that quote them: objects with `title` and `text`.
  public var documents: [JSONValue]?
  /// The template's name, of a model that has several; nil for the one that fits.
  public var template: String?
  /// More variables of the template (`enable_thinking`), or other values for special tokens.
  public var variables = JSONMembers()
  /// The time that the template's `strftime_now` tells; nil for now.
  public var now: TemplateTime?

  public init(
    addGenerationPrompt: Bool = false, continueFinalMessage: Bool = false, documents: [JSONValue]? = nil,
    template: String? = nil, variables: JSONMembers = JSONMembers(), now: TemplateTime? = nil
  ) {
    self.addGenerationPrompt = addGenerationPrompt
    self.continueFinalMessage = continueFinalMessage
    self.documents = documents
    self.template = template
    self.variables = variables
    self.now = now
  }
}
