import ApusCheckpoint

/// The messages of a chat request, checked and brought into the form that templates expect: see
/// `ChatConversation`.
enum ChatMessages {
  /// Messages of one request, at most.
  static let countMax = 2048

  static func list(_ fields: RequestFields) throws(APIError) -> [JSONValue] {
    guard let values = try fields.array("messages"), !values.isEmpty else {
      throw fields.invalid("messages", expected: "an array with at least one message")
    }
    guard values.count <= countMax else {
      throw fields.invalid("messages", expected: "at most \(countMax) messages")
    }
    var messages: [JSONValue] = []
    for (index, value) in values.enumerated() {
      guard case .object(let members) = value else {
        throw .invalid("messages[\(index)]", "messages[\(index)] is \(value.summary), expected an object")
      }
      messages.append(.object(try message(RequestFields(members, path: "messages[\(index)]"))))
    }
    return messages
  }

  private static func message(_ fields: RequestFields) throws(APIError) -> JSONMembers {
    let roles = ["system", "developer", "user", "assistant", "tool"]
    guard let role = try fields.string("role"), roles.contains(role) else {
      throw fields.invalid("role", expected: "one of " + roles.joined(separator: ", "))
    }
    var known: Set = ["role", "content", "name"]
    if role == "assistant" {
      known.formUnion(["tool_calls", "refusal", "annotations", "reasoning_content", "reasoning"])
    }
    if role == "tool" { known.insert("tool_call_id") }
    try fields.refuse(otherThan: known)

    var message = JSONMembers()
    _ = message.append("role", .string(role == "developer" ? "system" : role))
    let calls = role == "assistant" ? try toolCalls(fields) : []
    if let content = try content(fields) {
      _ = message.append("content", .string(content))
    } else if calls.isEmpty {
      throw fields.invalid("content", expected: "a string or an array of text parts")
    } else {
      _ = message.append("content", .string(""))
    }
    for key in ["name", "tool_call_id", "reasoning_content"] {
      if let value = try fields.string(key) { _ = message.append(key, .string(value)) }
    }
    if !calls.isEmpty { _ = message.append("tool_calls", .array(calls)) }
    return message
  }

  /// Text parts are joined by line ends, as vLLM does.
  private static func content(_ fields: RequestFields) throws(APIError) -> String? {
    guard case .array(let parts)? = fields["content"] else { return try fields.string("content") }
    var texts: [String] = []
    for (index, part) in parts.enumerated() {
      let path = "\(fields.name("content"))[\(index)]"
      guard case .object(let members) = part else {
        throw .invalid(path, "\(path) is \(part.summary), expected an object")
      }
      let part = RequestFields(members, path: path)
      guard try part.string("type") == "text" else {
        throw .invalid(
          path,
          "\(part.name("type")) is \(members["type"]?.summary ?? "missing"), expected text: the model "
            + "reads nothing else", code: "unsupported_content")
      }
      try part.refuse(otherThan: ["type", "text", "annotations"])
      guard let text = try part.string("text") else { throw part.invalid("text", expected: "a string") }
      texts.append(text)
    }
    return texts.joined(separator: "\n")
  }

  private static func toolCalls(_ fields: RequestFields) throws(APIError) -> [JSONValue] {
    guard let values = try fields.array("tool_calls") else { return [] }
    var calls: [JSONValue] = []
    for (index, value) in values.enumerated() {
      let path = "\(fields.name("tool_calls"))[\(index)]"
      guard case .object(let members) = value else {
        throw .invalid(path, "\(path) is \(value.summary), expected an object")
      }
      let call = RequestFields(members, path: path)
      try call.refuse(otherThan: ["id", "type", "function", "index"])
      guard let function = try call.object("function"), let name = try function.string("name") else {
        throw call.invalid("function", expected: "an object with name and arguments")
      }
      calls.append(
        .object(
          JSONMembers([
            ("id", .string(try call.string("id") ?? "")), ("type", .string("function")),
            (
              "function",
              .object(JSONMembers([("name", .string(name)), ("arguments", try arguments(function))]))
            ),
          ])))
    }
    return calls
  }

  /// The object that the text of arguments holds.
  private static func arguments(_ function: RequestFields) throws(APIError) -> JSONValue {
    switch function["arguments"] {
    case nil: return .object(JSONMembers())
    case .object(let members)?: return .object(members)
    case .string(let text)?:
      if text.isEmpty { return .object(JSONMembers()) }
      if case .object(let members)? = JSONSpan.value(text.utf8) { return .object(members) }
    default: break
    }
    throw function.invalid("arguments", expected: "the text of a JSON object")
  }
}
