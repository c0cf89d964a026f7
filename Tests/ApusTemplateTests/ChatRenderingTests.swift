import ApusCheckpoint
import ApusTemplate
import Foundation
import Testing

/// Conversations against what `apply_chat_template` of transformers made of them.
@Suite struct ChatRenderingTests {
  struct Conversation {
    var messages: [ChatMessage]
    var tools: [JSONValue]?
    var options = ChatOptions(now: TemplateFixtures.now)

    init(_ members: JSONMembers) throws {
      messages = try #require(members["messages"]?.array).map { ChatMessage($0.members ?? JSONMembers()) }
      tools = members["tools"]?.array
      options.addGenerationPrompt = members["generate"] == .boolean(true)
      options.continueFinalMessage = members["continued"] == .boolean(true)
      options.variables = members["variables"]?.members ?? JSONMembers()
    }
  }

  /// Every rendering of a folder that differs, as "template, conversation: found, expected".
  private func differences(templates: URL, renderings: URL) throws -> (differing: [String], count: Int) {
    let file = try String(
      contentsOf: TemplateFixtures.folder.appending(path: "conversations.json"), encoding: .utf8)
    let fixture = try #require(try TemplateFixtures.value(file).members)
    let conversations = try #require(fixture["conversations"]?.members)
    let tokens = try #require(fixture["tokens"]?.members)
    let lines = try TemplateFixtures.lines(renderings)
    var differing: [String] = []
    for line in lines {
      let parts = try #require(line.array).map { $0.text ?? "" }
      let conversation = try Conversation(try #require(conversations[parts[1]]?.members))
      let source = try String(contentsOf: templates.appending(path: parts[0]), encoding: .utf8)
      let found: Rendering
      do throws(ChatTemplateError) {
        let template = try ChatTemplate(source: source, specialTokens: tokens)
        found = Rendering(
          try template.render(
            messages: conversation.messages, tools: conversation.tools, options: conversation.options))
      } catch { found = Rendering(nil, problem: "\(error)") }
      let wanted = Rendering(parts.count > 2 ? parts[2] : nil)
      if found != wanted { differing.append("\(parts[0]), \(parts[1]): \(found), expected \(wanted)") }
    }
    return (differing, lines.count)
  }

  @Test func ourOwnAwkwardTemplatesRenderAsInTransformers() throws {
    let folder = TemplateFixtures.folder
    let (differing, count) = try differences(
      templates: folder.appending(path: "templates"), renderings: folder.appending(path: "renderings.jsonl"))
    #expect(count >= 100)
    #expect(differing == [])
  }

  @Test(.enabled(if: TemplateFixtures.hasPublished, "needs chat-templates in the shared data folder"))
  func publishedTemplatesRenderAsInTransformers() throws {
    let folder = try #require(TemplateFixtures.published)
    let (differing, count) = try differences(
      templates: folder, renderings: folder.appending(path: "renderings.jsonl"))
    #expect(count >= 1000)
    #expect(differing == [])
  }
}
