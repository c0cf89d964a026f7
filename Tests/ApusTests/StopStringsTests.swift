import Apus
import ApusEngine
import ApusTokenizer
import TestSupport
import Testing

@Suite struct StopStringsTests {
  /// Llama 2's kind: byte fallback, and no space at the beginning of a text.
  private let fallback: Tokenizer

  init() throws { fallback = try FallbackTokenizer.make() }

  private func stop(_ strings: [String], prompt: [Int32] = [], minTokens: Int = 0) throws -> StopStrings {
    try StopStrings(strings, tokenizer: fallback, continuing: prompt, minTokens: minTokens)
  }

  private func ids(_ tokens: [String]) throws -> [Int32] {
    try tokens.map { try #require(fallback.tokenID(for: $0), "\($0)") }
  }

  /// The token at which the condition holds, and the text's pieces by then.
  private func run(
    _ tokens: [String], _ strings: [String], prompt: [String] = ["▁a"], minTokens: Int = 0,
    including: Bool = false
  ) throws -> (end: Int?, pieces: [String]) {
    var stop = try stop(strings, prompt: ids(prompt), minTokens: minTokens)
    var text = GeneratedText(endingAt: stop, includeStopString: including)
    var pieces: [String] = []
    let tokens = try ids(tokens)
    for (index, token) in tokens.enumerated() {
      pieces.append(text.append(.token(GeneratedToken(id: token, position: index))))
      guard stop.shouldStop(after: token) else { continue }
      pieces.append(text.append(.finished(.length, .none)))
      return (index, pieces)
    }
    pieces.append(text.append(.finished(.length, .none)))
    return (nil, pieces)
  }

  @Test func refusesWhatCannotEndARequest() {
    #expect(throws: StopStringsError.wrongCount(0)) { try stop([]) }
    #expect(throws: StopStringsError.wrongCount(17)) { try stop(Array(repeating: "a", count: 17)) }
    #expect(throws: StopStringsError.emptyString(index: 1)) { try stop(["a", ""]) }
    let long = String(repeating: "é", count: 513)
    #expect(throws: StopStringsError.tooLong(index: 0, byteCount: 1026)) { try stop([long]) }
    #expect(throws: Never.self) { try stop(Array(repeating: String(long.dropLast()), count: 16)) }
    #expect(
      StopStringsError.emptyString(index: 1).description
        == "stop[1] is empty, expected a string with a character")
  }

  @Test func endsAtTheTokenThatCompletesAStringSplitOverTokens() throws {
    let (end, pieces) = try run(["c", "▁b", "c", "▁a", "c"], ["bc a"])
    #expect(end == 3)
    #expect(pieces == ["", "c", " ", "", ""])
  }

  @Test func endsAtTheByteThatCompletesACharacter() throws {
    let (end, pieces) = try run(["c", "<0xC3>", "<0xA9>", "c"], ["é"])
    #expect(end == 2)
    #expect(pieces.joined() == "c")
    #expect(try run(["c", "<0xC3>", "<0xA8>", "c"], ["é"]).end == nil)
  }

  @Test func deliversWhatTurnsOutToBeginNoStopString() throws {
    let (end, pieces) = try run(["▁b", "c", "c", "▁b", "▁b"], [" bc a", "cd"])
    #expect(end == nil)
    #expect(pieces == ["", "", "", " bc", "c", " b b"])
  }

  @Test func endsBeforeTheStringThatIsCompleteFirst() throws {
    // "cab" begins first, "a" ends first.
    #expect(try run(["c", "a", "b"], ["cab", "a"]).pieces.joined() == "c")
    // They begin together.
    #expect(try run(["▁b", "c", "a"], ["bca", "bc"], including: true).pieces.joined() == " bc")
    // They end together: the one that was named first.
    #expect(try run(["▁b", "c", "a"], ["bca", "ca"]).pieces.joined() == " ")
    #expect(try run(["▁b", "c", "a"], ["ca", "bca"]).pieces.joined() == " b")
  }

  @Test func doesNotCountWhatTheFirstTokensComplete() throws {
    let tokens = ["c", "a", "c", "a"]
    #expect(try run(tokens, ["ca"], minTokens: 1).end == 1)
    #expect(try run(tokens, ["ca"], minTokens: 2).end == 3)
    #expect(try run(tokens, ["ca"], minTokens: 2).pieces.joined() == "ca")
    #expect(try run(tokens, ["aca"], minTokens: 3).pieces.joined() == "c")
    #expect(try run(tokens, ["ca"], minTokens: 4).end == nil)
    // A byte that waits is there all the same.
    #expect(try run(["<0x0A>", "c", "<0x0A>"], ["\n"], minTokens: 1).end == 2)
  }

  @Test func seesNeitherThePromptNorSpecialTokens() throws {
    #expect(try run(["c"], ["a"]).end == nil)
    #expect(try run(["c"], ["ac"]).end == nil)
    #expect(try run(["</s>", "c"], ["</s>"]).end == nil)
    #expect(try run(["c", "</s>", "a"], ["ca"]).end == 2)
    #expect(try run(["<0x0A>"], ["\n\n"], prompt: ["▁a", "<0x0A>"]).end == nil)
    #expect(try run(["<0x0A>", "<0x0A>"], ["\n\n"], prompt: ["▁a", "<0x0A>"]).end == 1)
  }

  @Test func leavesTheTokenThatStoppedTheRequestOut() throws {
    let tokens = try ids(["▁b", "c"])
    let stop = try stop(["bca"])
    var text = GeneratedText(endingAt: stop)
    let pieces = tokens.map { text.append(.token(GeneratedToken(id: $0, position: 0))) }
    #expect(pieces + [text.append(.finished(.stop(token: tokens[1]), .none))] == ["", "", "b"])
  }

  // MARK: - Against searching the whole text

  /// What must hold of a request that generates `tokens`: by decoding all of them each time.
  private func oracle(
    _ tokens: [Int32], _ strings: [String], _ tokenizer: Tokenizer, prompt: [Int32], minTokens: Int,
    including: Bool
  ) throws -> (end: Int?, text: [UInt8]) {
    let before = Array(try tokenizer.decode(prompt, skipSpecialTokens: true).utf8)
    func text(_ count: Int) throws -> [UInt8] {
      let all = Array(try tokenizer.decode(prompt + tokens[..<count], skipSpecialTokens: true).utf8)
      #expect(all.starts(with: before))
      return Array(all.dropFirst(before.count))
    }
    var searched = try text(min(minTokens, tokens.count))
    while searched.suffix(3) == [0xEF, 0xBF, 0xBD] { searched.removeLast(3) }
    for count in min(minTokens + 1, tokens.count + 1)..<(tokens.count + 1) {
      let text = try text(count)
      for end in 0...text.count where end > searched.count {
        for string in strings.map({ Array($0.utf8) }) where text[..<end].suffix(string.count) == string[...] {
          return (count - 1, Array(text[..<(including ? end : end - string.count)]))
        }
      }
    }
    return (nil, try text(tokens.count))
  }

  /// Random strings of the text's own characters, so that some occur, and some nearly.
  private func strings(of text: String, using random: inout SplitMix64) -> [String] {
    let characters = Array(text.unicodeScalars.filter { $0 != "\u{FFFD}" })
    return (0..<Int.random(in: 1...4, using: &random)).map { _ in
      guard let first = characters.indices.randomElement(using: &random) else { return "x" }
      let length = min(Int.random(in: 1...7, using: &random), characters.count - first)
      var string = Array(characters[first..<(first + length)])
      if Int.random(in: 0..<3, using: &random) == 0 { string[string.count - 1] = characters.randomElement()! }
      return String(String.UnicodeScalarView(string))
    }
  }

  private func check(
    _ tokens: [Int32], _ tokenizer: Tokenizer, prompt: [Int32], using random: inout SplitMix64
  ) throws -> Bool {
    let strings = strings(of: try tokenizer.decode(tokens, skipSpecialTokens: true), using: &random)
    let minTokens = [0, 0, 1, 5, 20].randomElement(using: &random)!
    let including = Int.random(in: 0..<4, using: &random) == 0
    let expected = try oracle(
      tokens, strings, tokenizer, prompt: prompt, minTokens: minTokens, including: including)
    var stop = try StopStrings(strings, tokenizer: tokenizer, continuing: prompt, minTokens: minTokens)
    var text = GeneratedText(endingAt: stop, includeStopString: including)
    var settled = GeneratedText(tokenizer, continuing: prompt)
    var (delivered, whole): ([UInt8], [UInt8]) = ([], [])
    for (index, token) in tokens.enumerated() {
      let event = TokenEvent.token(GeneratedToken(id: token, position: index))
      delivered += text.append(event).utf8
      whole += settled.append(event).utf8
      #expect(expected.text.starts(with: delivered))
      // No more waits than may begin a stop string.
      let waits =
        including
        ? 0
        : strings.map { string in
          let bytes = Array(string.utf8)
          return (0..<bytes.count).last { whole.suffix($0) == bytes.prefix($0) } ?? 0
        }.max()!
      #expect(delivered.count == whole.count - waits, "\(strings), \(tokens)")
      let stops = stop.shouldStop(after: token)
      #expect(stops == (index == expected.end), "\(strings), \(tokens), \(minTokens)")
      if stops { break }
    }
    delivered += text.append(.finished(.length, .none)).utf8
    #expect(delivered == expected.text, "\(strings), \(tokens), \(minTokens)")
    return expected.end != nil
  }

  @Test func findsInRandomTokensWhatSearchingTheWholeTextFinds() throws {
    var random = SplitMix64(seed: 12)
    // Few tokens, so that strings recur; halves of characters among them.
    let pool = try ids([
      "▁a", "▁b", "c", "a", "b", "▁", "<0x0A>", "<0xC3>", "<0xA9>", "<0xA8>", "<0xF0>", "</s>",
    ])
    var stopped = 0
    for _ in 0..<400 {
      let prompt = Bool.random(using: &random) ? try ids(["▁b", "c"]) : []
      let tokens = (0..<40).map { _ in pool.randomElement(using: &random)! }
      if try check(tokens, fallback, prompt: prompt, using: &random) { stopped += 1 }
    }
    #expect(stopped > 100 && stopped < 390)
  }

  @Test func findsInTextOfTheEmbeddedModelWhatSearchingTheWholeTextFinds() throws {
    let tokenizer = try LanguageModel.load(.embedded).tokenizer
    var random = SplitMix64(seed: 13)
    let words = [
      "the", " fox", "'s", " naïve", " 東京", "🦊", " café", "\n", " e\u{301}", "ß", ". ", "aaab", "🇫🇷",
    ]
    var stopped = 0
    for _ in 0..<400 {
      let text = (0..<12).map { _ in words.randomElement(using: &random)! }
      var tokens: [Int32] = []
      var part = ""
      for scalar in text.joined().unicodeScalars {
        part.unicodeScalars.append(scalar)
        guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
        tokens += try tokenizer.encode(part, addSpecialTokens: false)
        part = ""
      }
      // A token lost in the middle of a character, now and then.
      if Int.random(in: 0..<4, using: &random) == 0, !tokens.isEmpty {
        tokens.remove(at: tokens.indices.randomElement(using: &random)!)
      }
      let prompt = try tokenizer.encode("Tell me about")
      if try check(tokens, tokenizer, prompt: prompt, using: &random) { stopped += 1 }
    }
    #expect(stopped > 100 && stopped < 390)
  }
}

extension Usage {
  fileprivate static var none: Usage {
    Usage(promptTokenCount: 0, completionTokenCount: 0, seed: 0, timing: RequestTiming(queued: .zero))
  }
}
