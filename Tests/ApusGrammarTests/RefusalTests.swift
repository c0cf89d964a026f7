@testable import ApusGrammar
import Testing

@Suite struct RefusalTests {
  private func error(_ schema: String, _ options: GrammarOptions = GrammarOptions()) -> GrammarError? {
    do {
      _ = try CompiledGrammar(.json(schema: schema), options: options, vocabulary: Vocabularies.bytes)
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    ("{\"not\": {}}", "#/not"), ("{\"properties\": {\"a/b\": {\"if\": {}}}}", "#/properties/a~1b/if"),
    ("{\"items\": {\"uniqueItems\": true}}", "#/items/uniqueItems"),
    ("{\"patternProperties\": {}}", "#/patternProperties"),
    ("{\"multipleOf\": 2}", "#/multipleOf"), ("{\"dependentRequired\": {}}", "#/dependentRequired"),
    ("{\"requird\": []}", "#/requird"), ("{\"$ref\": \"other.json\"}", "#/$ref"),
    ("{\"$ref\": \"#name\"}", "#/$ref"),
    ("{\"anyOf\": [{\"contains\": {}}]}", "#/anyOf/0/contains"), ("{\"format\": \"iri\"}", "#/format"),
    ("{\"pattern\": \"a(?=b)\"}", "#/pattern"), ("{\"minimum\": 1e300}", "#/minimum"),
    ("{\"maxProperties\": 1}", "#/maxProperties"), ("{\"minProperties\": 1}", "#/minProperties"),
    ("{\"$ref\": \"#\"}", "#"), ("{\"allOf\": [{\"$ref\": \"#/allOf/0\"}]}", "#/allOf/0"),
  ])
  func refusesUnsupportedKeywordsByNameAndPlace(schema: String, pointer: String) {
    guard case .unsupportedKeyword(pointer, let reason)? = error(schema) else {
      Issue.record("\(error(schema)?.description ?? "compiled")")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test(arguments: [
    ("{\"type\": \"text\"}", "#/type"), ("{\"type\": 3}", "#/type"), ("{\"enum\": []}", "#/enum"),
    ("{\"properties\": []}", "#/properties"), ("{\"properties\": {\"a\": 3}}", "#/properties/a"),
    ("{\"required\": [1]}", "#/required"), ("{\"minLength\": -1}", "#/minLength"),
    ("{\"maxItems\": 1.5}", "#/maxItems"),
    ("{\"anyOf\": {}}", "#/anyOf"), ("{\"items\": [{}]}", "#/items"),
    ("{\"$ref\": \"#/$defs/a\"}", "#/$defs/a"),
    ("3", "#"), ("{\"nullable\": 1}", "#/nullable"), ("{\"minimum\": \"1\"}", "#/minimum"),
  ])
  func refusesWrongValuesByPlace(schema: String, pointer: String) {
    guard case .invalidKeyword(pointer, _, let expected)? = error(schema) else {
      Issue.record("\(error(schema)?.description ?? "compiled")")
      return
    }
    #expect(!expected.isEmpty)
  }

  @Test(arguments: [
    "false", "{\"enum\": [1], \"type\": \"string\"}",
    "{\"type\": \"array\", \"minItems\": 2, \"maxItems\": 1}",
    "{\"type\": \"integer\", \"minimum\": 5, \"maximum\": 4}",
    "{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 1}",
    "{\"type\": \"number\", \"exclusiveMinimum\": 1, \"exclusiveMaximum\": 1}",
    "{\"properties\": {\"a\": false}, \"required\": [\"a\"]}",
    "{\"additionalProperties\": false, \"required\": [\"a\"]}",
    "{\"allOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]}",
    "{\"type\": \"array\", \"items\": false, \"minItems\": 1}",
    "{\"type\": \"string\", \"pattern\": \"^a$\", \"minLength\": 2}",
    // It would have to go on without end.
    "{\"properties\": {\"a\": {\"$ref\": \"#\"}}, \"required\": [\"a\"]}",
  ])
  func refusesWhatNothingSatisfies(schema: String) {
    #expect(error(schema) == .unsatisfiable("the schema"))
  }

  @Test(arguments: [
    "{\"title\": \"\", \"description\": \"\", \"default\": 1, \"examples\": [], \"$schema\": \"\", \"$id\": \"x\", \"x-a\": 1}",
    "{\"type\": \"string\", \"format\": \"password\"}", "{\"type\": \"string\", \"nullable\": true}",
    "{\"maxProperties\": 1, \"additionalProperties\": false}",
    "{\"properties\": {\"a\": {}}, \"maxProperties\": 1, \"additionalProperties\": false}",
    "{\"required\": [\"a\"], \"minProperties\": 1}", "{\"uniqueItems\": false}",
  ])
  func ignoresWhatSaysNothing(schema: String) {
    #expect(error(schema) == nil)
  }

  private func isTooMuch(_ error: GrammarError?) -> Bool {
    if case .limitExceeded? = error { true } else { false }
  }

  @Test func refusesWhatWouldTakeTooMuch() {
    #expect(isTooMuch(error("\"\(String(repeating: "a", count: 1 << 20))\"")))
    #expect(
      isTooMuch(error("{\"type\": \"array\", \"items\": {\"type\": \"number\"}, \"maxItems\": 1000000}")))
    let two = "{\"anyOf\": [{\"minLength\": 1}, {\"minLength\": 2}]}"
    let product = Array(repeating: two, count: 8).joined(separator: ",")
    #expect(isTooMuch(error("{\"allOf\": [\(product)]}")))
    let chain = (0..<100).map { "\"\($0)\": {\"$ref\": \"#/$defs/\($0 + 1)\"}" }.joined(separator: ",")
    #expect(isTooMuch(error("{\"$defs\": {\(chain), \"100\": {}}, \"$ref\": \"#/$defs/0\"}")))
    #expect(isTooMuch(error("{\"pattern\": \"^.{9}$\", \"minLength\": 60000}")))
    if case .malformedSchema? = error(String(repeating: "[", count: 100_000)) {} else { Issue.record("deep") }
    if case .malformedSchema? = error("{\"a\":1,\"a\":2}") {} else { Issue.record("twice") }
    #expect(
      error("{}", GrammarOptions(whitespace: .upTo(65)))
        == .invalidOption(field: "whitespace", value: "65", expected: "1...64"))
    #expect(
      error("{}", GrammarOptions(nestingMax: 0))
        == .invalidOption(field: "nestingMax", value: "0", expected: "1...256"))
  }

  @Test func whatAVocabularyCannotSpellNeverBegins() throws {
    let letters = Vocabularies.make(["a", "b", "ab", "{", "}", "\"", ":", "cab"].map { Array($0.utf8) })
    // No token is a c by itself, so none is begun.
    let grammar = try CompiledGrammar(.regex("(a|c)+b"), vocabulary: letters)
    #expect(grammar.accepts("aab".utf8) && !grammar.accepts("cab".utf8))
    #expect(throws: GrammarError.unspellable(missing: [UInt8(ascii: "c")])) {
      try CompiledGrammar(.regex("a+c"), vocabulary: letters)
    }
    let objects = try CompiledGrammar(
      .json(schema: "{\"properties\": {\"a\": {\"type\": [\"string\", \"null\"]}}, \"required\": [\"a\"]}"),
      vocabulary: letters)
    #expect(objects.accepts("{\"a\":\"b\"}".utf8) && !objects.accepts("{\"a\":null}".utf8))
  }
}
