@testable import ApusGrammar
import ApusTokenizer
import Testing

@Suite struct SchemaTests {
  private func grammar(
    _ schema: String, _ options: GrammarOptions = GrammarOptions(),
    _ vocabulary: TokenVocabulary = Vocabularies.bytes
  ) throws -> CompiledGrammar {
    try CompiledGrammar(.json(schema: schema), options: options, vocabulary: vocabulary)
  }

  @Test(arguments: Fixtures.schemas)
  func acceptsWhatTheValidatorAcceptsAndNoMore(_ item: Fixtures.SchemaCase) throws {
    let grammar = try grammar(item.schema)
    #expect(item.accepted.filter { !grammar.accepts($0.utf8) } == [])
    #expect(item.rejected.filter { grammar.accepts($0.utf8) } == [])
  }

  @Test(arguments: Fixtures.schemas)
  func masksAllowTheTokensOfAcceptedTextsAndNoOthers(_ item: Fixtures.SchemaCase) throws {
    let (vocabulary, tokenizer) = Vocabularies.stories
    let grammar = try grammar(item.schema, GrammarOptions(), vocabulary)
    func ids(_ text: String) throws -> [Int32] {
      try tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
    }
    #expect(try item.accepted.filter { try !grammar.allows(ids($0)) } == [])
    #expect(try item.rejected.filter { try grammar.allows(ids($0)) } == [])
  }

  @Test func objectsWithoutSchemaAreAnyObject() throws {
    let grammar = try CompiledGrammar(.jsonObject, vocabulary: Vocabularies.bytes)
    for text in ["{}", "{\"a\": [1,{\"b\":null}]}", "{\"\":\"\"}"] { #expect(grammar.accepts(text.utf8)) }
    for text in ["[]", "1", "\"{}\"", "{} ", "{\"a\":}"] { #expect(!grammar.accepts(text.utf8)) }
  }

  @Test func nestingEndsAtItsLimitAndNeverInADeadEnd() throws {
    let options = GrammarOptions(nestingMax: 3)
    let any = try CompiledGrammar(.jsonObject, options: options, vocabulary: Vocabularies.bytes)
    #expect(any.accepts("{\"a\":[[]]}".utf8))
    #expect(!any.accepts("{\"a\":[[[]]]}".utf8))
    // Each node needs two more levels below it, or none.
    let deep = """
      {"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [{"type": "null"}, {"type": "object", "properties":
      {"a": {"type": "array", "items": {"$ref": "#/$defs/m"}, "minItems": 1}}, "required": ["a"]}]},
      "m": {"type": "object", "properties": {"b": {"$ref": "#/$defs/n"}}, "required": ["b"]}}}
      """
    for limit in 3...7 {
      let grammar = try grammar(deep, GrammarOptions(nestingMax: limit))
      func text(_ depth: Int) -> String {
        depth == 0 ? "null" : "{\"a\":[{\"b\":\(text(depth - 1))}]}"
      }
      #expect(grammar.accepts(text(limit / 3).utf8))
      #expect(!grammar.accepts(text(limit / 3 + 1).utf8))
    }
  }

  @Test func whiteSpaceIsBounded() throws {
    let schema =
      "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"array\", \"items\": {\"type\": \"null\"}}}}"
    let texts = [
      "{\"a\":[null,null]}", "{\"a\": [null, null]}", "{ \"a\":\n[\n\tnull,\n\tnull\n] }", "{   }", "{    }",
    ]
    let expected: [(JSONWhitespace, [Bool])] = [
      (.none, [true, false, false, false, false]), (.separators, [true, true, false, false, false]),
      (.upTo(3), [true, true, true, true, false]),
    ]
    for (whitespace, accepted) in expected {
      let grammar = try grammar(schema, GrammarOptions(whitespace: whitespace))
      #expect(texts.map { grammar.accepts($0.utf8) } == accepted, "\(whitespace)")
    }
  }

  @Test func propertiesComeInTheSchemasOrderAndOthersOnlyWhereAllowed() throws {
    let closed = try grammar("{\"properties\": {\"b\": {\"const\": 1}, \"a\": {\"const\": 2}}}")
    #expect(closed.accepts("{\"b\":1,\"a\":2}".utf8))
    #expect(!closed.accepts("{\"a\":2,\"b\":1}".utf8))
    #expect(!closed.accepts("{\"b\":1,\"c\":0}".utf8))
    let open = try grammar("{\"properties\": {\"b\": {\"const\": 1}}, \"additionalProperties\": true}")
    #expect(open.accepts("{\"b\":1,\"c\":[0]}".utf8))
    #expect(!open.accepts("{\"b\":1,\"b\":2}".utf8))
    // An escape is no way round a property's schema.
    #expect(!open.accepts("{\"\\u0062\":2}".utf8))
  }

  @Test func aLongStringIsCountedNotSpelledOut() throws {
    let schema = "{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 100000}"
    let grammar = try grammar(schema)
    #expect(grammar.automaton.stateCount < 100)
    #expect(!grammar.accepts("\"ab\"".utf8))
    let long = String(repeating: "é", count: 100_000)
    #expect(grammar.accepts("\"\(long)\"".utf8))
    #expect(!grammar.accepts("\"\(long)x\"".utf8))
  }

  @Test func eachOfManyOptionalPropertiesCostsFewStates() throws {
    let properties = (0..<200).map { "\"property \($0)\": {\"type\": \"integer\"}" }.joined(separator: ",")
    let grammar = try grammar("{\"properties\": {\(properties)}}")
    #expect(grammar.accepts("{\"property 3\":1,\"property 150\":2}".utf8))
    #expect(!grammar.accepts("{\"property 150\":1,\"property 3\":2}".utf8))
  }
}
