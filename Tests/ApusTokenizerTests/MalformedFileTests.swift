import Foundation
import Testing

@testable import ApusTokenizer

/// Files from outside are hostile until checked: each fault is an error that names its place.
struct MalformedFileTests {
  private static let model = #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}"#

  private func problem(_ json: String) -> TokenizerFileProblem? {
    problem(Array(json.utf8))
  }

  private func problem(_ bytes: [UInt8]) -> TokenizerFileProblem? {
    do {
      _ = try TokenizerFile(bytes)
      return nil
    } catch {
      return error
    }
  }

  private func problem(model: String = Self.model, members: String = "") -> TokenizerFileProblem? {
    problem(#"{"model":\#(model)\#(members)}"#)
  }

  private func field(_ problem: TokenizerFileProblem?) -> String? {
    switch problem {
    case .invalidField(let field, _), .unsupported(let field, _): field
    default: nil
    }
  }

  @Test func takesTheFileThatTheOthersSpoil() {
    #expect(problem() == nil)
  }

  @Test func refusesEveryTruncation() throws {
    let bytes = [UInt8](try Data(contentsOf: Fixtures.url("mistral.json")))
    for count in Array(0..<200) + Array(stride(from: 200, to: bytes.count - 1, by: 197)) {
      // A number cut short can be another token's id before the end is missed.
      switch problem(Array(bytes[..<count])) {
      case .malformedJSON(let offset, _): #expect(offset <= count)
      case .duplicateID: continue
      case let found: Issue.record("\(count) bytes: \(String(describing: found))")
      }
    }
  }

  @Test func survivesDamagedBytes() throws {
    let bytes = [UInt8](try Data(contentsOf: Fixtures.url("llama3.json")))
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      _ = problem(damaged)
    }
  }

  @Test func refusesMissingModel() {
    #expect(field(problem("{}")) == "model")
    #expect(field(problem(model: "[]")) == "model")
    #expect(field(problem(model: "null")) == "model")
    #expect(field(problem(model: #"{"merges":[]}"#)) == "model.vocab")
    #expect(field(problem(model: #"{"vocab":{"a":0}}"#)) == "model.merges")
    #expect(field(problem(model: #"{"vocab":{},"merges":[]}"#)) == "model.vocab")
  }

  @Test(arguments: ["-1", "4194304", "99999999999999999999", "1.5", "\"0\"", "null", "[]", "true"])
  func refusesVocabularyID(id: String) {
    #expect(field(problem(model: #"{"vocab":{"a":\#(id)},"merges":[]}"#)) == "model.vocab['a']")
  }

  @Test func refusesTokensThatShareAnID() {
    #expect(problem(model: #"{"vocab":{"a":0,"b":0},"merges":[]}"#) == .duplicateID(0))
    #expect(problem(model: #"{"vocab":{"a":0,"a":1},"merges":[]}"#) == .duplicateToken("a"))
  }

  @Test func keepsCanonicallyEquivalentTokensApart() throws {
    let model = #"{"vocab":{"é":0,"e\u0301":1,"e":2,"\u0301":3},"merges":[["e","\u0301"]]}"#
    let tokenizer = try Tokenizer(json: #"{"model":\#(model)}"#)
    #expect(try tokenizer.encode("\u{E9}") == [0])
    #expect(try tokenizer.encode("e\u{301}") == [1])
    #expect(tokenizer.tokenID(for: "e\u{301}") == 1)
  }

  @Test(
    arguments: [#""x a""#, #"["a","x"]"#, #"["b","a"]"#]
  )
  func refusesMergeOfUnknownTokens(merge: String) {
    let found = problem(model: #"{"vocab":{"a":0,"b":1,"ab":2},"merges":[\#(merge)]}"#)
    guard case .mergeOutOfVocabulary(merge: 0, _)? = found else {
      Issue.record("\(String(describing: found))")
      return
    }
  }

  @Test(arguments: [#""ab""#, #""a b c""#, #"["a"]"#, #"["a","b","a"]"#, "1", "null", "{}"])
  func refusesMalformedMerge(merge: String) {
    #expect(
      field(problem(model: #"{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b",\#(merge)]}"#))
        == "model.merges[1]")
  }

  @Test(arguments: ["WordPiece", "Unigram", "WordLevel", "Nonsense"])
  func refusesOtherModels(type: String) {
    #expect(
      problem(model: #"{"type":"\#(type)","vocab":[["a",0.0]]}"#)
        == .unsupported(field: "model.type", value: type))
  }

  @Test(arguments: ["dropout\":0.1", "continuing_subword_prefix\":\"##", "end_of_word_suffix\":\"</w>"])
  func refusesUnsupportedModelSetting(setting: String) {
    let quote = setting.contains(":\"") ? "\"" : ""
    let found = problem(model: #"{"\#(setting)\#(quote),"vocab":{"a":0},"merges":[]}"#)
    #expect(field(found) == "model." + setting.prefix { $0 != "\"" })
  }

  @Test(
    arguments: [
      ("normalizer", #"{"type":"Precompiled"}"#), ("normalizer", #"{"type":"BertNormalizer"}"#),
      ("pre_tokenizer", #"{"type":"UnicodeScripts"}"#), ("decoder", #"{"type":"WordPiece"}"#),
      ("decoder", #"{"type":"CTC"}"#), ("post_processor", #"{"type":"BertProcessing"}"#),
    ]
  )
  func refusesOtherComponents(name: String, component: String) {
    let found = problem(members: #","\#(name)":\#(component)"#)
    guard case .unsupported(let field, let value)? = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(field == "\(name).type")
    #expect(component.contains("\"\(value)\""))
  }

  @Test(
    arguments: [
      (
        "normalizer", #"{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Prepend"}]}"#,
        "normalizers[1].prepend"
      ),
      ("normalizer", #"{"type":"Strip","strip_left":1,"strip_right":true}"#, "strip_left"),
      ("normalizer", "7", ""), ("normalizer", #"{"type":"Sequence"}"#, "normalizers"),
      ("pre_tokenizer", #"{"type":"Split","pattern":{},"behavior":"Isolated","invert":false}"#, "pattern"),
      (
        "pre_tokenizer", #"{"type":"Split","pattern":{"String":"a"},"behavior":"X","invert":false}"#,
        "behavior"
      ),
      ("pre_tokenizer", #"{"type":"Metaspace","replacement":"ab"}"#, "replacement"),
      ("pre_tokenizer", #"{"type":"Metaspace","replacement":"_","prepend_scheme":"Last"}"#, "prepend_scheme"),
      ("decoder", #"{"type":"Strip","content":" ","start":-1,"stop":0}"#, "start"),
      ("decoder", #"{"type":"Strip","content":" ","start":1,"stop":99999999}"#, "stop"),
      (
        "post_processor",
        #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}}"#,
        "special_tokens.x"
      ),
    ]
  )
  func namesTheFieldAtFault(name: String, component: String, expected: String) {
    let found = field(problem(members: #","\#(name)":\#(component)"#))
    #expect(found == (expected.isEmpty ? name : "\(name).\(expected)"))
  }

  @Test(
    arguments: [
      "(", ")", "[", "[a", "a**", "*", "(?<name>a)", #"\"#, #"\p{Han}"#, #"\p{L"#, #"\k<a>"#, #"\1"#,
      "[[:alpha:]]", "[b-a]",
      "(a|b*)*", "a{2000}", "a{3,2}", "(?<=a+)b", "(?x)a", #"\x{110000}"#, #"\xff"#, "(?i:ss)", "(?i:é)",
      #"\Z"#, #"\R"#,
      "((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))",
      "((((a{100}){100}){100}){100})", String(repeating: "a", count: 9000),
    ]
  )
  func refusesPattern(pattern: String) {
    #expect(throws: TokenizerFileProblem.self) { try Pattern(pattern) }
  }

  @Test func refusesDeepNesting() {
    let depth = 100_000
    let open = String(repeating: "[", count: depth)
    guard case .malformedJSON? = problem(#"{"x":\#(open)"#) else {
      Issue.record("not refused")
      return
    }
    var normalizer = #"{"type":"NFC"}"#
    for _ in 0..<40 { normalizer = #"{"type":"Sequence","normalizers":[\#(normalizer)]}"# }
    guard case .malformedJSON? = problem(members: #","normalizer":\#(normalizer)"#) else {
      Issue.record("not refused")
      return
    }
  }

  @Test(
    arguments: [
      #"{"a":1,}"#, #"{"a"}"#, #"{'a':1}"#, #"{"a":01x}"#, #"{"a":tru}"#, #"{"a":"\q"}"#, #"{"a":"\ud800"}"#,
      #"{"a":"\ud800\u0041"}"#, #"{"a":"\udc00"}"#, #"{"a":"\u12"}"#, "{\"a\":\"\u{1}\"}", #"{"a":1}}"#,
      #"{"a":1} x"#,
      #"{"a":1e999}"#, "", " ", "nul",
    ]
  )
  func refusesMalformedJSON(text: String) {
    guard case .malformedJSON? = problem(text) else {
      Issue.record("\(String(describing: problem(text)))")
      return
    }
  }

  @Test func refusesBytesThatAreNotUTF8() {
    #expect(
      problem(Array(#"{"a":""#.utf8) + [0xFF] + Array("\"}".utf8))
        == .malformedJSON(offset: 6, reason: "not UTF-8"))
  }

  @Test func refusesAddedTokensWithoutFlags() {
    let found = problem(members: #","added_tokens":[{"id":3,"content":"x","special":true}]"#)
    #expect(field(found) == "added_tokens[0].single_word")
  }

  @Test func namesTheFile() throws {
    let missing = URL(filePath: "/nowhere/tokenizer.json")
    do {
      _ = try Tokenizer(tokenizerFile: missing)
      Issue.record("a missing file was loaded")
    } catch TokenizerError.invalidFile(let path, .unreadable) {
      #expect(path == missing.path)
    }
  }
}
