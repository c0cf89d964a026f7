import Apus
import ApusCheckpoint
import ApusTemplate
import ArgumentParser

/// `apus chat-template`
struct ChatTemplateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat-template",
    abstract: "Turns a conversation into the text that a chat model continues.",
    discussion: """
      The conversation is a JSON array of messages, or an object with messages and any of tools and documents. \
      The text comes out as it is, without a newline after it. Give it to `apus tokenize --no-special` for its \
      token ids. MODEL needs no more than its template: chat_template.jinja, or the chat_template of \
      tokenizer_config.json or of a .gguf file.
      """)

  @OptionGroup var model: ModelArgument

  @Option(parsing: .unconditional, help: "A file with the conversation; - is standard input.")
  var messages: String

  @Flag(inversion: .prefixedNo, help: "End where the assistant's next message begins.")
  var generationPrompt = true

  @Flag(name: .customLong("continue"), help: "End with the last message, which is unfinished.")
  var continueFinalMessage = false

  @Option(parsing: .unconditional, help: "The template's name, of a model with several.")
  var template: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("More variables, as in {\"enable_thinking\": false}.", valueName: "json"))
  var variables: String?

  func run() throws {
    let files = try model.files()
    guard let template = try files.chatTemplate() else {
      throw CommandFailure("\(files.path): no chat template")
    }
    let conversation = try ConversationFile.read(path: messages)
    var options = ChatOptions(
      addGenerationPrompt: generationPrompt && !continueFinalMessage,
      continueFinalMessage: continueFinalMessage,
      documents: conversation.documents, template: self.template)
    if let variables {
      options.variables = try JSONObject.parse(line: variables, place: "--variables").members
    }
    let text: String
    do throws(ChatTemplateError) {
      text = try template.render(
        messages: conversation.messages, tools: conversation.tools, options: options)
    } catch { throw CommandFailure("\(files.path): \(error)") }
    try StandardStreams.write(text)
  }
}

/// A conversation as a file holds it.
struct ConversationFile: Equatable {
  var messages: [ChatMessage]
  var tools: [JSONValue]?
  var documents: [JSONValue]?
}

extension ConversationFile {
  private static let byteCountMax = 64 << 20

  static func read(path: String) throws -> ConversationFile {
    let file = try InputFile(path: path)
    let bytes = try file.readAll(byteCountMax: byteCountMax)
    return try ConversationFile(bytes, place: file.name)
  }

  init(_ bytes: [UInt8], place: String) throws {
    let value = try bytes.withUnsafeBytes { try JSONValue(parsing: $0, file: place) }
    guard case .array(let values) = value else {
      let object = try bytes.withUnsafeBytes { try JSONObject(parsing: $0, file: place) }
      try object.refuseFields(otherThan: ["messages", "tools", "documents"])
      guard let values = try object.arrayIfPresent("messages") else {
        throw object.invalid("messages", expected: "an array of messages")
      }
      self.init(
        messages: try Self.messages(values, place), tools: try object.arrayIfPresent("tools"),
        documents: try object.arrayIfPresent("documents"))
      return
    }
    self.init(messages: try Self.messages(values, place))
  }

  private static func messages(_ values: [JSONValue], _ place: String) throws -> [ChatMessage] {
    try values.enumerated().map { index, value in
      guard case .object(let members) = value else {
        throw CommandFailure("\(place): message \(index) is no JSON object")
      }
      return ChatMessage(members)
    }
  }
}
