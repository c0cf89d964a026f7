import Foundation
import Testing

/// `apus generate` with what texts must be.
@Suite struct FormatEndToEndTests {
  @Test func generatesWhatTheSchemaSays() throws {
    let folder = try TemporaryFolder()
    let schema = try folder.write(
      "schema.json",
      """
      {"type": "object", "properties": {"age": {"type": "integer", "minimum": 3, "maximum": 5}}, "required": ["age"]}
      """)
    let run = try ApusBinary.run("generate", "embedded", "-p", "The fox is", "--json-schema", schema.path)
    #expect(run.exitCode == 0, "\(run.error)")
    let object = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Int])
    #expect((3...5).contains(try #require(object["age"])))
  }

  @Test func generatesWhatThePatternMatchesOrOneOfSomeTexts() throws {
    let regex = try ApusBinary.run("generate", "embedded", "-p", "One day", "--regex", ",( [a-z]{1,4}){3}!")
    #expect(regex.output.wholeMatch(of: /,( [a-z]{1,4}){3}!\n/) != nil, "\(regex)")
    let choice = try ApusBinary.run(
      "generate", "embedded", "-p", "One day", "--choice", " it rained", "--choice", " the sun")
    #expect([" it rained\n", " the sun\n"].contains(choice.output))
  }

  @Test func refusesByOptionOrFileAndPlace() throws {
    try ApusBinary.run("generate", "embedded", "-p", "x", "--regex", "a(?=b)")
      .expectRefusal("--regex", "offset 1", "lookahead")
    let folder = try TemporaryFolder()
    let schema = try folder.write("schema.json", "{\"items\": {\"uniqueItems\": true}}")
    try ApusBinary.run("generate", "embedded", "-p", "x", "--json-schema", schema.path)
      .expectRefusal("schema.json", "#/items/uniqueItems")
  }
}
