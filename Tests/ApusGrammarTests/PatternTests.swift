@testable import ApusGrammar
import Foundation
import TestSupport
import Testing

@Suite struct PatternTests {
  private func grammar(_ pattern: String) throws -> CompiledGrammar {
    try CompiledGrammar(.regex(pattern), vocabulary: Vocabularies.bytes)
  }

  @Test(arguments: Fixtures.patterns.filter { $0.pattern != "" })
  func matchesWhatPythonsRegexMatches(_ item: Fixtures.PatternCase) throws {
    let grammar = try grammar(item.pattern)
    #expect(item.accepted.filter { !grammar.accepts($0.utf8) } == [])
    #expect(item.rejected.filter { grammar.accepts($0.utf8) } == [])
  }

  /// A random pattern of letters, classes, groups and repetitions.
  private func pattern(_ random: inout SplitMix64, depth: Int) -> String {
    func part(_ random: inout SplitMix64) -> String {
      let atoms = ["a", "b", "c", "[ab]", "[^a]", "é", "."]
      let isGroup = depth > 0 && Int.random(in: 0..<3, using: &random) == 0
      let atom = isGroup ? "(\(pattern(&random, depth: depth - 1)))" : atoms.randomElement(using: &random)!
      return atom + ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}"].randomElement(using: &random)!
    }
    return (0..<Int.random(in: 1...2, using: &random)).map { _ in
      (0..<Int.random(in: 1...3, using: &random)).map { _ in part(&random) }.joined()
    }.joined(separator: "|")
  }

  @Test func matchesWhatFoundationMatches() throws {
    var random = SplitMix64(seed: 11)
    for _ in 0..<100 {
      let pattern = pattern(&random, depth: 1)
      let foundation = try NSRegularExpression(pattern: "^(?:\(pattern))$")
      let grammar: CompiledGrammar
      do {
        grammar = try self.grammar(pattern)
      } catch GrammarError.limitExceeded {
        // Repetitions of repetitions of classes that overlap: as many states as subsets.
        continue
      }
      for _ in 0..<40 {
        let text = (0..<Int.random(in: 0...7, using: &random)).map { _ in
          ["a", "b", "c", "é", "🐦"].randomElement(using: &random)!
        }.joined()
        let range = NSRange(text.startIndex..., in: text)
        let expected = foundation.firstMatch(in: text, range: range) != nil
        #expect(grammar.accepts(text.utf8) == expected, "\(pattern) on \(text)")
      }
    }
  }

  @Test func choicesAreTheirTextsAndNoOthers() throws {
    let grammar = try CompiledGrammar(.choice(["yes", "yes!", "no", "ñ"]), vocabulary: Vocabularies.bytes)
    for text in ["yes", "yes!", "no", "ñ"] { #expect(grammar.accepts(text.utf8)) }
    for text in ["", "ye", "yesno", "n", "yes!!"] { #expect(!grammar.accepts(text.utf8)) }
  }

  @Test(arguments: [
    ("a(?=b)", 1, "lookahead"), ("(?!b)", 0, "lookahead"), ("a(?<=b)", 1, "lookbehind"),
    ("(a)\\1", 3, "a back reference"),
    ("(?P=n)", 0, "a back reference"), ("\\k<n>", 0, "a back reference"), ("a\\bc", 1, "a word boundary"),
    ("(?>a)", 0, "an atomic group"), ("a++", 1, "a possessive quantifier"), ("(?i)a", 0, "a group of flags"),
    ("\\p{L}", 0, "a Unicode property"), ("[[:alpha:]]", 1, "a POSIX class"),
    ("a^b", 1, "an anchor inside the text"),
    ("(a$)b", 2, "an anchor inside the text"), ("\\e", 0, "the escape '\\e'"),
    ("[]a]", 1, "']' at the beginning of a class"),
    ("é\\b", 1, "a word boundary"), ("a{,2}", 1, "a repetition without a minimum"),
  ])
  func refusesWhatItDoesNotDoByNameAndOffset(pattern: String, offset: Int, feature: String) {
    #expect(throws: GrammarError.unsupportedPattern(pattern: pattern, offset: offset, feature: feature)) {
      try grammar(pattern)
    }
  }

  @Test(arguments: [
    ("(a", 0), ("a)", 1), ("[a", 0), ("*a", 0), ("a**", 2), ("a{3,2}", 1), ("[b-a]", 2), ("\\", 0),
    ("\\x1", 0),
    ("\\u{110000}", 0), ("(?<n", 0), ("^*", 1),
  ])
  func refusesWhatIsNoPattern(pattern: String, offset: Int) {
    #expect {
      try grammar(pattern)
    } throws: { error in
      guard case .invalidPattern(pattern, offset, _)? = error as? GrammarError else { return false }
      return true
    }
  }

  @Test func refusesWhatWouldTakeTooMuch() {
    func refuses(_ pattern: String, _ part: String) {
      #expect {
        try grammar(pattern)
      } throws: { error in
        guard case .limitExceeded(let what, _)? = error as? GrammarError else { return false }
        return what.contains(part)
      }
    }
    refuses("a{70000}", "offset 2: a repetition of")
    refuses("((a{1000}){1000}){1000}", "offset 10: the repetition needs 1000000 states")
    refuses(String(repeating: "(", count: 65) + String(repeating: ")", count: 65), "groups nested 65 deep")
    refuses(String(repeating: "a", count: 8193), "a pattern of 8193 characters")
    // As many states as subsets.
    refuses("(a|b)*a(a|b){20}", "too many s")
    #expect(throws: GrammarError.unsatisfiable("the pattern \"[^\\\\s\\\\S]\"")) { try grammar("[^\\s\\S]") }
    #expect(throws: GrammarError.unsatisfiable("the pattern \"\" but the empty one")) { try grammar("") }
  }
}
