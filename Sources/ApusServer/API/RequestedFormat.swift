public import ApusCheckpoint

/// The language that an answer has to belong to.
public enum RequestedFormat: Sendable, Equatable {
  /// Any JSON object.
  case jsonObject
  /// JSON that a schema describes.
  case jsonSchema(JSONValue)
  /// A text that a regular expression matches from end to end.
  case regex(String)
  /// One of these texts.
  case choice([String])
  /// A grammar in the notation of GBNF or Lark, as the client wrote it.
  case grammar(String)
}

extension RequestedFormat {
  /// What `response_format` (OpenAI), `structured_outputs` and `guided_*` (vLLM), or `json_schema` and
  /// `grammar` (llama-server) ask for. At most one of them may.
  init?(_ fields: RequestFields) throws(APIError) {
    var found: [(key: String, format: RequestedFormat)] = []
    if let format = try Self.responseFormat(fields) { found.append(("response_format", format)) }
    if let outputs = try fields.object("structured_outputs") {
      let keys: Set = ["json", "json_object", "regex", "choice", "grammar"]
      try outputs.refuse(otherThan: keys)
      found += try Self.formats(in: outputs, prefix: "").map { ("structured_outputs.\($0.key)", $0.format) }
    }
    found += try Self.formats(in: fields, prefix: "guided_")
    if let schema = fields["json_schema"] { found.append(("json_schema", .jsonSchema(schema))) }
    if let grammar = try fields.string("grammar") { found.append(("grammar", .grammar(grammar))) }
    guard found.count <= 1 else {
      throw .invalid(found[1].key, "\(found[0].key) and \(found[1].key) are set, expected one of them")
    }
    guard let format = found.first?.format else { return nil }
    self = format
  }

  private static func formats(
    in fields: RequestFields, prefix: String
  ) throws(APIError) -> [(key: String, format: RequestedFormat)] {
    var found: [(key: String, format: RequestedFormat)] = []
    if let schema = fields[prefix + "json"] {
      found.append((prefix + "json", .jsonSchema(try parsed(schema, prefix + "json"))))
    }
    if prefix.isEmpty, try fields.boolean("json_object") ?? false {
      found.append(("json_object", .jsonObject))
    }
    if let regex = try fields.string(prefix + "regex") { found.append((prefix + "regex", .regex(regex))) }
    if let choices = try fields.strings(prefix + "choice") {
      guard !choices.isEmpty else { throw fields.invalid(prefix + "choice", expected: "at least one string") }
      found.append((prefix + "choice", .choice(choices)))
    }
    if let grammar = try fields.string(prefix + "grammar") {
      found.append((prefix + "grammar", .grammar(grammar)))
    }
    return found
  }

  /// vLLM takes a schema as an object or as the text of one.
  private static func parsed(_ schema: JSONValue, _ key: String) throws(APIError) -> JSONValue {
    guard case .string(var text) = schema else { return schema }
    do {
      return try text.withUTF8 { (bytes) throws(CheckpointError) in
        try JSONValue(parsing: UnsafeRawBufferPointer(bytes), file: key)
      }
    } catch { throw .invalid(key, "\(key) is no JSON: \(error)") }
  }

  private static func responseFormat(_ fields: RequestFields) throws(APIError) -> RequestedFormat? {
    guard let format = try fields.object("response_format") else { return nil }
    switch try format.string("type") {
    case "text":
      try format.refuse(otherThan: ["type"])
      return nil
    case "json_object":
      // llama-server takes a schema here as well.
      try format.refuse(otherThan: ["type", "schema"])
      return format["schema"].map { .jsonSchema($0) } ?? .jsonObject
    case "json_schema":
      try format.refuse(otherThan: ["type", "json_schema"])
      guard let inner = try format.object("json_schema") else {
        throw format.invalid("json_schema", expected: "an object with name and schema")
      }
      try inner.refuse(otherThan: ["name", "description", "schema", "strict"])
      _ = try inner.string("name")
      _ = try inner.boolean("strict")
      guard let schema = inner["schema"] else { throw inner.invalid("schema", expected: "a JSON schema") }
      return .jsonSchema(schema)
    default:
      throw format.invalid("type", expected: "text, json_object or json_schema")
    }
  }
}
