public import ApusCheckpoint

/// Turns a conversation into the text that a model continues, as `apply_chat_template` of Hugging Face
/// `transformers` (5.24) does with the same template, to the byte.
///
/// The text is tokenized with nothing added around it and with special tokens recognised
/// (`Tokenizer.encode(_:addSpecialTokens: false)`): the template has written them. It follows that a special token
/// spelled out in a message becomes that token too, as with `transformers`. Who takes messages from strangers
/// removes or refuses such spellings first.
public struct ChatTemplate: Sendable {
  /// The text of special tokens by their names: `bos_token`, `eos_token` ...
  public let specialTokens: JSONMembers
  private let templates: [NamedTemplate]

  private struct NamedTemplate: Sendable {
    let name: String
    let source: String
    /// Only a template that is used must be one that can be rendered.
    let template: Result<Template, TemplateError>
  }

  /// A model's only template.
  /// - Throws: `ChatTemplateError.template`.
  public init(
    source: String, specialTokens: JSONMembers = JSONMembers(), limits: TemplateLimits = TemplateLimits()
  ) throws(ChatTemplateError) {
    try self.init(
      sources: [(ChatTemplate.defaultName, source)], specialTokens: specialTokens, limits: limits)
  }

  /// Templates by their names: `tool_use` serves conversations with tools, `default` all others.
  /// - Throws: `ChatTemplateError.template` where `default` is refused. Others are when they are asked for.
  public init(
    sources: [(name: String, source: String)], specialTokens: JSONMembers = JSONMembers(),
    limits: TemplateLimits = TemplateLimits()
  ) throws(ChatTemplateError) {
    self.specialTokens = specialTokens
    var templates: [NamedTemplate] = []
    for (name, source) in sources {
      let template = Result { () throws(TemplateError) in try Template(source: source, limits: limits) }
      if name == Self.defaultName, case .failure(let error) = template { throw .template(name: name, error) }
      templates.append(NamedTemplate(name: name, source: source, template: template))
    }
    self.templates = templates
  }

  static let defaultName = "default"

  /// The names of the templates, in the model's order.
  public var names: [String] { templates.map(\.name) }

  /// Whether a template's source holds `text`: how callers tell what a model was taught to write.
  public func mentions(_ text: String) -> Bool { templates.contains { $0.source.contains(text) } }

  /// The text of a conversation.
  /// - Parameter tools: JSON schemas of the functions that the model may call; nil where there are none to speak
  ///   of, which templates tell from an empty list.
  /// - Throws: `ChatTemplateError`.
  public func render(
    messages: [ChatMessage], tools: [JSONValue]? = nil, options: ChatOptions = ChatOptions()
  ) throws(ChatTemplateError) -> String {
    let named = try template(named: options.template, hasTools: tools != nil)
    var messages = try normalized(messages)
    let continued = try options.continueFinalMessage ? markEnd(of: &messages, named.source, options) : nil
    for (what, objects) in [("tool", tools), ("document", options.documents)] {
      for (index, value) in (objects ?? []).enumerated() {
        guard case .object = value else {
          throw .invalidConversation(reason: "\(what) \(index) is no JSON object")
        }
      }
    }
    var variables = specialTokens
    for index in 0..<options.variables.count {
      let (name, value) = options.variables[index]
      guard !Self.ownVariables.contains(name) else {
        throw .invalidConversation(reason: "the variable '\(name)' is the conversation's own")
      }
      variables.set(name, value)
    }
    variables.set("messages", .array(messages.map { .object($0.members) }))
    variables.set("tools", tools.map { .array($0) } ?? .null)
    variables.set("documents", options.documents.map { .array($0) } ?? .null)
    variables.set("add_generation_prompt", .boolean(options.addGenerationPrompt))
    let text: String
    do throws(TemplateError) {
      text = try named.template.get().render(variables, now: options.now ?? .now)
    } catch { throw .template(name: named.name, error) }
    return try continued.map { (message) throws(ChatTemplateError) in try cut(text, after: message) } ?? text
  }

  private static let ownVariables: Set = ["messages", "tools", "documents", "add_generation_prompt"]

  private func template(named name: String?, hasTools: Bool) throws(ChatTemplateError) -> NamedTemplate {
    func find(_ name: String) -> NamedTemplate? { templates.first { $0.name == name } }
    if let name {
      guard let template = find(name) else { throw .unknownTemplate(name: name, names: names) }
      return template
    }
    if hasTools, let template = find("tool_use") { return template }
    guard let template = find(Self.defaultName) else { throw .unknownTemplate(name: nil, names: names) }
    return template
  }
}

// MARK: - Messages

extension ChatTemplate {
  private static let reasoningNames = ["reasoning_content", "thinking", "reasoning"]

  /// Without members that are null, and with a model's reasoning under the names templates know it by.
  private func normalized(_ messages: [ChatMessage]) throws(ChatTemplateError) -> [ChatMessage] {
    guard !messages.isEmpty else { throw .invalidConversation(reason: "a conversation without messages") }
    return messages.map { message in
      let all = (0..<message.members.count).map { message.members[$0] }.filter { $0.value != .null }
      guard
        let reasoning = Self.reasoningNames.lazy.compactMap({ name in all.first { $0.key == name } }).first
      else { return ChatMessage(JSONMembers(all)) }
      var members = JSONMembers([("thinking", reasoning.value)] + all)
      members.set("reasoning_content", reasoning.value)
      return ChatMessage(members)
    }
  }

  /// What is put at the end of the message that is to be continued, to be found again in the text.
  private static let endMark = "CONTINUE_FINAL_MESSAGE_TAG "

  /// Marks the end of the last message's text, and gives the text.
  private func markEnd(
    of messages: inout [ChatMessage], _ source: String, _ options: ChatOptions
  ) throws(ChatTemplateError) -> String {
    guard !options.addGenerationPrompt else {
      throw .invalidConversation(reason: "a text cannot both continue a message and begin one")
    }
    guard source.contains("content") else {
      throw .invalidConversation(reason: "the chat template takes no 'content' to be continued")
    }
    let last = messages.count - 1
    switch messages[last].members["content"] {
    case .string(let text):
      messages[last].members.set("content", .string(text + Self.endMark))
      return text
    case .array(var parts):
      for index in parts.indices.reversed() {
        guard case .object(var part) = parts[index], case .string(let text)? = part["text"] else { continue }
        part.set("text", .string(text + Self.endMark))
        parts[index] = .object(part)
        messages[last].members.set("content", .array(parts))
        return text
      }
      throw .invalidConversation(reason: "the last message has no text to be continued")
    default: throw .invalidConversation(reason: "the last message has no content to be continued")
    }
  }

  /// The text up to the mark. Where the template trimmed the message, so is the text.
  private func cut(_ text: String, after message: String) throws(ChatTemplateError) -> String {
    let text = TemplateText(text)
    let mark = TemplateText(Self.endMark)
    let whole = 0..<text.bytes.count
    guard text.contains(TemplateText(message).stripped()),
      let end = text.lastIndex(of: mark.stripped(), in: whole)
    else {
      throw .invalidConversation(reason: "the chat template does not write the last message as it is")
    }
    let kept = TemplateText(text.bytes[..<end])
    let isWhole = text.bytes[end...].starts(with: mark.bytes)
    return (isWhole ? kept : kept.stripped(left: false)).string
  }
}
