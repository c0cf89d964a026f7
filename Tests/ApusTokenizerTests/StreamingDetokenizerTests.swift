import Foundation
import Testing

@testable import ApusTokenizer

struct StreamingDetokenizerTests {
  private func pieces(_ tokenizer: Tokenizer, _ ids: [Int32], skip: Bool = false) throws -> [String] {
    var detokenizer = StreamingDetokenizer(tokenizer, skipSpecialTokens: skip)
    var pieces: [String] = []
    for id in ids { pieces.append(try detokenizer.append(id)) }
    pieces.append(try detokenizer.finish())
    return pieces
  }

  @Test(arguments: ["gpt2", "qwen2", "llama3", "llama2", "mistral"])
  func givesTheTextOfAllIDs(kind: String) throws {
    let tokenizer = try Tokenizer(tokenizerFile: Fixtures.url("\(kind).json"))
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      // Byte tokens come first in every fixture: a low bound gives many broken characters.
      let bound = Int32([300, tokenizer.vocabularySize].randomElement(using: &generator)!)
      let count = Int.random(in: 0...30, using: &generator)
      let ids = (0..<count).map { _ in Int32.random(in: 0..<bound, using: &generator) }
      for skip in [false, true] {
        let text = try tokenizer.decode(ids, skipSpecialTokens: skip)
        let joined = try pieces(tokenizer, ids, skip: skip).flatMap { Array($0.utf8) }
        #expect(joined == Array(text.utf8), "\(ids)")
      }
    }
  }

  @Test(arguments: ["gpt2", "mistral"])
  func holdsBackHalfACharacter(kind: String) throws {
    let tokenizer = try Tokenizer(tokenizerFile: Fixtures.url("\(kind).json"))
    let text = "🦊x"
    let ids = try tokenizer.encode(text, addSpecialTokens: false)
    #expect(ids.count >= 4)
    let pieces = try pieces(tokenizer, ids)
    #expect(pieces.allSatisfy { !$0.contains("\u{FFFD}") })
    #expect(pieces.contains { $0.hasPrefix("🦊") })
    let cut = try self.pieces(tokenizer, Array(ids.dropLast(2)))
    #expect(cut.last == (kind == "gpt2" ? "\u{FFFD}" : "\u{FFFD}\u{FFFD}\u{FFFD}"))
  }

  @Test func stripsTheFirstSpaceOnly() throws {
    let tokenizer = try Tokenizer(tokenizerFile: Fixtures.url("mistral.json"))
    let space = try #require(tokenizer.tokenID(for: "\u{2581}"))
    let letter = try #require(tokenizer.tokenID(for: "a"))
    #expect(try pieces(tokenizer, [space, space, letter, space, letter]) == ["", " ", "a", " ", "a", ""])
  }

  @Test func beginsANewTextAfterTheEnd() throws {
    let tokenizer = try Tokenizer(tokenizerFile: Fixtures.url("mistral.json"))
    let ids = try tokenizer.encode("a b", addSpecialTokens: false)
    var detokenizer = StreamingDetokenizer(tokenizer)
    for _ in 0..<2 {
      var text = ""
      for id in ids { text += try detokenizer.append(id) }
      text += try detokenizer.finish()
      #expect(text == "a b")
    }
  }

  @Test func emitsLongByteRunsInParts() throws {
    let tokenizer = try Tokenizer(tokenizerFile: Fixtures.url("mistral.json"))
    let byte = try #require(tokenizer.tokenID(for: "<0x41>"))
    var detokenizer = StreamingDetokenizer(tokenizer)
    var waiting = 0
    var most = 0
    for _ in 0..<20_000 {
      let text = try detokenizer.append(byte)
      waiting = waiting + 1 - text.utf8.count
      most = max(most, waiting)
    }
    #expect(most <= DecoderState.byteRunMax)
    #expect(try detokenizer.finish().utf8.count == waiting)
  }
}
