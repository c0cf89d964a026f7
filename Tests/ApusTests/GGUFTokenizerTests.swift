import Apus
import ApusCheckpoint
import ApusTokenizer
import Foundation
import TestSupport
import Testing

/// Tokenizers out of files that the format's own writer made.
@Suite struct GGUFTokenizerTests {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "ApusTokenizerTests/Fixtures")

  static func gguf(_ name: String) throws -> GGUFFile {
    try GGUFFile(fixtures.appending(path: "gguf/\(name).gguf"))
  }

  /// What Hugging Face `tokenizers` makes of some texts, of the fixtures of ApusTokenizerTests.
  private struct Cases: Decodable {
    var texts: [String]
    var ids: [[Int32]?]
    var skipped: [String: String]
    var decoded: [String: String]
  }

  @Test(arguments: ["gpt2", "qwen2", "llama3"])
  func givesReferenceIDsAndText(kind: String) throws {
    let tokenizer = try #require(try Tokenizer(gguf: Self.gguf(kind)))
    let data = try Data(contentsOf: Self.fixtures.appending(path: "\(kind).cases.json"))
    let cases = try JSONDecoder().decode(Cases.self, from: data)
    #expect(cases.texts.count > 100)
    for (index, text) in cases.texts.enumerated() {
      guard let expected = cases.ids[index] else { continue }
      let key = String(index)
      #expect(try tokenizer.encode(text) == expected, "\(text.debugDescription)")
      let decoded = cases.skipped[key] ?? cases.decoded[key] ?? text
      let found = try tokenizer.decode(expected, skipSpecialTokens: true)
      #expect(Array(found.utf8) == Array(decoded.utf8), "\(text.debugDescription)")
    }
  }

  @Test func givesTheIDsThatSentencePieceGives() throws {
    struct File: Decodable {
      struct Model: Decodable { var ids: [[Int32]?] }
      var texts: [String]
      var models: [Model]
    }
    let data = try Data(contentsOf: Self.fixtures.appending(path: "gguf/sentencepiece.json"))
    let file = try JSONDecoder().decode(File.self, from: data)
    let tokenizer = try #require(try Tokenizer(gguf: Self.gguf("sentencepiece")))
    #expect((tokenizer.bosToken, tokenizer.eosToken) == (1, 2))
    for (text, expected) in zip(file.texts, file.models[0].ids) {
      guard let expected else { continue }
      let ids = try tokenizer.encode(text, parseSpecialTokens: false)
      #expect(ids == [1] + expected, "\(text.debugDescription)")
    }
  }

  @Test func survivesDamagedFiles() throws {
    var random = SplitMix64(seed: 7)
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "damaged.gguf")
    for name in ["gpt2", "sentencepiece"] {
      let bytes = [UInt8](try Data(contentsOf: Self.fixtures.appending(path: "gguf/\(name).gguf")))
      var tokenizers = 0
      for _ in 0..<150 {
        try Data(GGUFBytes.damaged(bytes, &random)).write(to: url)
        guard let file = try? GGUFFile(url), let tokenizer = try? Tokenizer(gguf: file) else { continue }
        tokenizers += 1
        _ = try? tokenizer.encode("The fox's tail <s> é 🦊 12345\n")
      }
      // Else the damage never gets beyond the header.
      #expect(tokenizers > 0)
    }
  }
}

/// The tokenizer's keys, each wrong in turn.
@Suite struct GGUFTokenizerRefusalTests {
  private typealias Pair = GGUFBytes.Pair

  private static func strings(_ key: String, _ values: [String]) -> Pair {
    .array(key, of: 8, count: UInt64(values.count), values.flatMap { GGUFBytes.string($0) })
  }

  private static func int32s(_ key: String, _ values: [Int32]) -> Pair {
    .array(key, of: 5, count: UInt64(values.count), values.flatMap { GGUFBytes.little($0) })
  }

  private static func floats(_ key: String, _ values: [Float]) -> Pair {
    .array(key, of: 6, count: UInt64(values.count), values.flatMap { GGUFBytes.little($0.bitPattern) })
  }

  private static func bool(_ key: String, _ value: UInt8) -> Pair { Pair(key: key, type: 7, value: [value]) }

  private static var byteLevel: [Pair] {
    [
      .string("tokenizer.ggml.model", "gpt2"), .string("tokenizer.ggml.pre", "gpt-2"),
      strings("tokenizer.ggml.tokens", ["a", "b", "ab"]), int32s("tokenizer.ggml.token_type", [1, 1, 1]),
      strings("tokenizer.ggml.merges", ["a b"]),
    ]
  }

  private static var sentencePiece: [Pair] {
    [
      .string("tokenizer.ggml.model", "llama"), strings("tokenizer.ggml.tokens", ["<unk>", "\u{2581}", "a"]),
      int32s("tokenizer.ggml.token_type", [2, 1, 1]), floats("tokenizer.ggml.scores", [0, -1, -2]),
      bool("tokenizer.ggml.add_bos_token", 0),
    ]
  }

  private func tokenizer(_ pairs: [Pair]) throws -> Tokenizer? {
    let url = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString).gguf")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(GGUFBytes(pairs: pairs).bytes).write(to: url)
    return try Tokenizer(gguf: GGUFFile(url))
  }

  /// Expects that `base` is refused once `pair` replaces its like, in words.
  private func expectRefusal(
    _ base: [Pair], _ pair: Pair, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectRefusal(base.filter { $0.key != pair.key } + [pair], [pair.key] + words, sourceLocation)
  }

  private func expectRefusal(_ pairs: [Pair], _ words: [String], _ sourceLocation: SourceLocation) {
    do {
      _ = try tokenizer(pairs)
      Issue.record("not refused", sourceLocation: sourceLocation)
    } catch let error as LanguageModelError {
      for word in words + [".gguf: "] {
        #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation)
      }
    } catch {
      Issue.record("\(error)", sourceLocation: sourceLocation)
    }
  }

  @Test func takesWhatTheOthersSpoil() throws {
    #expect(try tokenizer(Self.byteLevel)?.encode("aba") == [2, 0])
    #expect(try tokenizer(Self.sentencePiece)?.encode("a?") == [1, 2, 0])
    #expect(try tokenizer([.string("general.architecture", "llama")]) == nil)
  }

  @Test func refusesOtherKindsByName() {
    expectRefusal(Self.byteLevel, .string("tokenizer.ggml.model", "bert"), "\"bert\"", "gpt2, llama")
    expectRefusal(Self.byteLevel, .uint32("tokenizer.ggml.model", 2), "a string")
    expectRefusal(Self.byteLevel, .string("tokenizer.ggml.pre", "no-such"), "'no-such'")
  }

  @Test func refusesMissingKeys() {
    for key in ["pre", "tokens", "token_type", "merges"].map({ "tokenizer.ggml." + $0 }) {
      expectRefusal(Self.byteLevel.filter { $0.key != key }, [key, "missing"], #_sourceLocation)
    }
    for key in ["tokens", "token_type", "scores"].map({ "tokenizer.ggml." + $0 }) {
      expectRefusal(Self.sentencePiece.filter { $0.key != key }, [key, "missing"], #_sourceLocation)
    }
  }

  @Test func refusesWrongTypes() {
    expectRefusal(Self.byteLevel, Self.int32s("tokenizer.ggml.tokens", [7, 8, 9]), "tokens[0]", "7")
    expectRefusal(Self.byteLevel, .string("tokenizer.ggml.merges", "a b"), "an array of strings")
    expectRefusal(
      Self.byteLevel, Self.floats("tokenizer.ggml.token_type", [1, 1, 1]), "token_type[0]", "an integer")
    expectRefusal(
      Self.sentencePiece, Self.strings("tokenizer.ggml.scores", ["x", "", ""]), "scores[0]", "a number")
    expectRefusal(Self.byteLevel, .uint32("tokenizer.ggml.add_bos_token", 1), "true or false")
    expectRefusal(Self.byteLevel, .string("tokenizer.ggml.bos_token_id", "1"), "an integer")
    expectRefusal(Self.byteLevel, .uint32("tokenizer.ggml.eos_token_id", .max), "4294967295")
    expectRefusal(Self.byteLevel, .uint32("tokenizer.ggml.padding_token_id", 3), "not 3")
  }

  @Test func refusesWhatItWouldLeaveOut() {
    expectRefusal(Self.sentencePiece, Self.bool("tokenizer.ggml.remove_extra_whitespaces", 1), "true")
    expectRefusal(Self.byteLevel, Self.bool("tokenizer.ggml.add_sep_token", 1), "true")
    expectRefusal(Self.byteLevel, Self.bool("tokenizer.ggml.add_space_prefix", 1), "true")
    expectRefusal(Self.sentencePiece, Self.int32s("tokenizer.ggml.precompiled_charsmap", [1]))
  }

  @Test func refusesTextThatIsNotUTF8() throws {
    let pair = Pair.array(
      "tokenizer.ggml.tokens", of: 8, count: 1, GGUFBytes.little(UInt64(2)) + [0xC3, 0x28])
    #expect(throws: CheckpointError.self) { try tokenizer([pair]) }
  }
}

/// Published vocabularies, and the ids that Hugging Face gives for the texts published with them.
@Suite(.enabled(if: SharedData.folder != nil, "there is no shared data beside this checkout"))
struct PublishedGGUFTokenizerTests {
  @Test(arguments: ["gpt-2", "refact", "starcoder", "llama-spm", "deepseek-coder", "falcon", "mpt"])
  func givesPublishedIDs(name: String) throws {
    let folder = try #require(SharedData.folder)
    let url = folder.appending(path: "llamacpp-vocab/ggml-vocab-\(name).gguf")
    let tokenizer = try #require(try Tokenizer(gguf: GGUFFile(url)))
    let input = try String(contentsOf: url.appendingPathExtension("inp"), encoding: .utf8)
    let output = try String(contentsOf: url.appendingPathExtension("out"), encoding: .utf8)
    let texts = input.components(separatedBy: "\n__ggml_vocab_test__\n")
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(texts.count > 40)
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { Int32($0) }
      #expect(try tokenizer.encode(text, addSpecialTokens: false) == expected, "\(text.debugDescription)")
    }
  }

  @Test func givesTheIDsOfTheSameModelsFolder() throws {
    let folder = try #require(SharedData.folder)
    let file = try #require(try Tokenizer(gguf: GGUFFile(folder.appending(path: "stories260K.gguf"))))
    let reference = try Tokenizer(folder: folder.appending(path: "stories260K-hf"))
    for text in ["Once upon a time", "", " a  b\n", "Lily's 12 <s>café🦊</s>\u{2581}x", "<0x41>", "日本"] {
      let ids = try file.encode(text)
      #expect(ids == (try reference.encode(text)), "\(text.debugDescription)")
      #expect(try file.decode(ids) == reference.decode(ids))
    }
  }
}
