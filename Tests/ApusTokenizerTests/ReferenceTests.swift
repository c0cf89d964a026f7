import Foundation
import TestSupport
import Testing

@testable import ApusTokenizer

/// Against Hugging Face `tokenizers`, on what `Fixtures/make_fixtures.py` wrote down.
struct ReferenceTests {
  @Test(arguments: ["gpt2", "qwen2", "llama3", "llama2", "mistral"])
  func givesReferenceIDsAndText(kind: String) throws {
    let tokenizer = try Tokenizer(tokenizerFile: Fixtures.url("\(kind).json"))
    let cases: TokenizerCases = try Fixtures.decode("\(kind).cases.json")
    try cases.check(tokenizer, cases.texts!, kind)
  }

  @Test(arguments: ["normalizers", "pre-tokenizers", "decoders"])
  func runsEveryComponentAsReference(group: String) throws {
    let file: TokenizerCases.File = try Fixtures.decode("\(group).json")
    for cases in file.cases {
      try cases.check(Tokenizer(json: cases.tokenizer!), file.texts, cases.name!)
    }
  }

  @Test func matchesPatternsAsReference() throws {
    struct File: Decodable {
      struct Entry: Decodable {
        var pattern: String
        var ends: [[Int]]
      }
      var texts: [String]
      var patterns: [Entry]
    }
    let file: File = try Fixtures.decode("patterns.json")
    for entry in file.patterns {
      let splitter = Splitter(.pattern(try Pattern(entry.pattern)), .isolated)
      for (text, ends) in zip(file.texts, entry.ends) {
        var list = PieceList(Array(text.utf8), isAtOrigin: true)
        try splitter.apply(to: &list)
        let comment = Comment(rawValue: "\(entry.pattern) on \(text.debugDescription)")
        #expect(list.pieces.map(\.range.upperBound) == ends, comment)
      }
    }
  }
}

/// Real vocabularies, which the repository does not hold.
@Suite(.enabled(if: SharedData.folder != nil, "there is no shared data beside this checkout"))
struct RealTokenizerTests {
  @Test(arguments: ["qwen2", "qwen2.5", "qwen3", "llama3", "stories260K-hf", "stories260K-hf-bytelevel"])
  func givesReferenceIDsAndText(name: String) throws {
    let file: TokenizerCases.File = try Fixtures.decode("shared-data.json")
    let cases = try #require(file.cases.first { $0.name == name })
    let tokenizer = try Tokenizer(folder: try #require(SharedData.folder).appending(path: name))
    try cases.check(tokenizer, file.texts, name)
  }

  @Test(arguments: [("qwen2", "qwen2"), ("llama3", "llama-bpe")])
  func givesPublishedIDs(name: String, vocabulary: String) throws {
    let folder = try #require(SharedData.folder)
    let tokenizer = try Tokenizer(folder: folder.appending(path: name))
    let base = folder.appending(path: "llamacpp-vocab/ggml-vocab-\(vocabulary).gguf")
    let input = try String(contentsOf: base.appendingPathExtension("inp"), encoding: .utf8)
    let output = try String(contentsOf: base.appendingPathExtension("out"), encoding: .utf8)
    let texts = input.components(separatedBy: "\n__ggml_vocab_test__\n")
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(texts.count > 40)
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { Int32($0) }
      #expect(try tokenizer.encode(text, addSpecialTokens: false) == expected, "\(text.debugDescription)")
    }
  }
}
