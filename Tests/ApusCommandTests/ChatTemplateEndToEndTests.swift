import Foundation
import Testing

/// `apus chat-template`
@Suite struct ChatTemplateEndToEndTests {
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(
      "tokenizer_config.json",
      #"""
      {"eos_token": "</s>", "chat_template": "{% for m in messages %}{{ m.role ~ ':' ~ m.content ~ eos_token }}{% endfor %}{{ (tools or []) | length }}{{ mood }}{% if add_generation_prompt %}assistant:{% endif %}"}
      """#)
    return folder
  }

  @Test func aConversationBecomesAPrompt() throws {
    let folder = try folder()
    let array = #"[{"role": "user", "content": "Hé"}]"#
    #expect(
      try ApusBinary.run("chat-template", folder.path, "--messages", "-", input: array).output
        == "user:Hé</s>0assistant:")
    let object = #"{"messages": [{"role": "user", "content": "Hi"}], "tools": [{}, {}]}"#
    let more = ["--no-generation-prompt", "--variables", #"{"mood": "!"}"#]
    #expect(
      try ApusBinary.run(["chat-template", folder.path, "--messages", "-"] + more, input: object).output
        == "user:Hi</s>2!")
    #expect(
      try ApusBinary.run("chat-template", folder.path, "--messages", "-", "--continue", input: array).output
        == "user:Hé")
  }

  @Test func whatIsNoConversationIsRefused() throws {
    let folder = try folder()
    func run(_ input: String, _ model: String) throws -> ApusBinary.Run {
      try ApusBinary.run("chat-template", model, "--messages", "-", input: input)
    }
    try run("[1]", folder.path).expectRefusal("message 0 is no JSON object")
    try run("[]", folder.path).expectRefusal("without messages")
    try run(#"{"mesages": []}"#, folder.path).expectRefusal("mesages")
    try run("[", folder.path).expectRefusal("standard input")
    try run("[]", "embedded").expectRefusal("no chat template")
  }
}
