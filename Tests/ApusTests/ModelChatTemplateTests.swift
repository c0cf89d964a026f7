import Apus
import ApusTemplate
import ApusTokenizer
import Foundation
import TestSupport
import Testing

/// What a model's files say of conversations.
@Suite struct ModelChatTemplateTests {
  private let messages = [ChatMessage(role: "user", content: "Hello <|im_end|>")]

  @Test func theEmbeddedModelHasNoChatTemplate() throws {
    let ofFiles = try ModelLocation.embedded.files().chatTemplate()
    #expect(ofFiles == nil)
    let ofModel = try LanguageModel.load(.embedded).chatTemplate
    #expect(ofModel == nil)
  }

  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func aFoldersTemplateAndTokenizerGiveTheIdsOfTransformers() throws {
    let folder = try #require(SharedData.folder).appending(path: "qwen2")
    let files = ModelFiles.folder(folder)
    let text = try #require(try files.chatTemplate()).render(messages: messages)
    #expect(
      text == "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        + "Hello <|im_end|><|im_end|>\n<|im_start|>assistant\n")
    let ids = try #require(try files.tokenizer()).encode(text, addSpecialTokens: false)
    #expect(
      ids == [
        151644, 8948, 198, 2610, 525, 264, 10950, 17847, 13, 151645, 198, 151644, 872, 198, 9707, 220, 151645,
        151645, 198, 151644, 77091, 198,
      ])
  }
}
