import ApusGrammar
import ArgumentParser

/// What generated texts must be, for every request.
struct FormatOptions: ParsableArguments {
  @Flag(help: "Generate a JSON object.")
  var json = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Generate JSON that satisfies the schema in this file; - is standard input.", valueName: "file"))
  var jsonSchema: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Generate a text that the regular expression matches as a whole.", valueName: "pattern"))
  var regex: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Generate one of the texts this is given with. Repeatable.", valueName: "text"))
  var choice: [String] = []

  /// Bytes of a schema's file.
  static let schemaByteCountMax = 1 << 20

  func validate() throws {
    let given = [json, jsonSchema != nil, regex != nil, !choice.isEmpty].count { $0 }
    guard given <= 1 else {
      throw ValidationError("--json, --json-schema, --regex and --choice exclude each other")
    }
  }

  /// The format and what errors call it; nil for any text.
  func format() throws -> (format: OutputFormat, place: String)? {
    if json { return (.jsonObject, "--json") }
    if let regex { return (.regex(regex), "--regex") }
    if !choice.isEmpty { return (.choice(choice), "--choice") }
    guard let jsonSchema else { return nil }
    let file = try InputFile(path: jsonSchema)
    let bytes = try file.readAll(byteCountMax: Self.schemaByteCountMax)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure("\(file.name): not UTF-8")
    }
    return (.json(schema: text), file.name)
  }
}
