package import ApusCheckpoint

/// Which tools a model may call, and whether it has to.
package enum ToolChoice: Sendable, Equatable {
  /// None: tools are not even shown to the model.
  case none
  /// As the model likes.
  case auto
  /// At least one.
  case required
  /// This one, once.
  case function(String)
}

/// A tool that a client offers: a function, its description, and a JSON schema of its parameters.
package struct Tool: Sendable, Equatable {
  package var name: String
  package var parameters: JSONValue?
  /// As the client sent it.
  package var json: JSONValue

  /// Tools of one request, at most.
  static let countMax = 128
}

extension Tool {
  static func list(_ fields: RequestFields) throws(APIError) -> [Tool] {
    guard let values = try fields.array("tools") else { return [] }
    guard values.count <= countMax else {
      throw fields.invalid("tools", expected: "at most \(countMax) tools")
    }
    var tools: [Tool] = []
    for (index, value) in values.enumerated() {
      let tool = try Tool(value, path: "tools[\(index)]")
      guard !tools.contains(where: { $0.name == tool.name }) else {
        throw .invalid("tools[\(index)].function.name", "two tools have the name \(quoted(tool.name))")
      }
      tools.append(tool)
    }
    return tools
  }

  private init(_ value: JSONValue, path: String) throws(APIError) {
    guard case .object(let members) = value else { throw .invalid(path, "\(path) is no object") }
    let tool = RequestFields(members, path: path)
    try tool.refuse(otherThan: ["type", "function"])
    guard try tool.string("type") == "function", let function = try tool.object("function") else {
      throw tool.invalid("type", expected: "function, with an object under function")
    }
    try function.refuse(otherThan: ["name", "description", "parameters", "strict"])
    _ = try function.string("description")
    _ = try function.boolean("strict")
    guard let name = try function.string("name"), Self.isName(name) else {
      throw function.invalid("name", expected: "1...64 letters, digits, _, - or .")
    }
    self.name = name
    if let parameters = try function.object("parameters") { self.parameters = .object(parameters.members) }
    json = value
  }

  private static func isName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}

extension ToolChoice {
  init(_ fields: RequestFields, tools: [Tool]) throws(APIError) {
    let expected = "none, auto, required, or {\"type\": \"function\", \"function\": {\"name\": ...}}"
    switch fields["tool_choice"] {
    case nil: self = tools.isEmpty ? .none : .auto
    case .string("none"): self = .none
    case .string("auto"): self = tools.isEmpty ? .none : .auto
    case .string("required"): self = .required
    case .object(let members):
      let choice = RequestFields(members, path: "tool_choice")
      try choice.refuse(otherThan: ["type", "function"])
      guard try choice.string("type") == "function", let function = try choice.object("function"),
        let name = try function.string("name")
      else { throw fields.invalid("tool_choice", expected: expected) }
      guard tools.contains(where: { $0.name == name }) else {
        throw .invalid("tool_choice", "tool_choice names \(quoted(name)), which is none of the tools")
      }
      self = .function(name)
    default: throw fields.invalid("tool_choice", expected: expected)
    }
    guard self != .required || !tools.isEmpty else {
      throw .invalid("tool_choice", "tool_choice is required, expected at least one tool")
    }
  }

  /// The language that holds a model to a choice; nil where it is free.
  /// - Parameter allowsParallelCalls: one answer may hold several calls.
  func outputFormat(_ tools: [Tool], allowsParallelCalls: Bool) -> RequestedFormat? {
    let anything = JSONValue.object(JSONMembers([("type", .string("object"))]))
    switch self {
    case .none, .auto: return nil
    case .function(let name):
      return .jsonSchema(tools.first { $0.name == name }?.parameters ?? anything)
    case .required:
      let calls = tools.map { tool in
        JSONValue.object(
          JSONMembers([
            ("type", .string("object")),
            (
              "properties",
              .object(
                JSONMembers([
                  ("name", .object(JSONMembers([("const", .string(tool.name))]))),
                  ("parameters", tool.parameters ?? anything),
                ]))
            ), ("required", .array([.string("name"), .string("parameters")])),
            ("additionalProperties", .boolean(false)),
          ]))
      }
      var list: [(String, JSONValue)] = [
        ("type", .string("array")), ("minItems", .integer(1)),
        ("items", calls.count == 1 ? calls[0] : .object(JSONMembers([("anyOf", .array(calls))]))),
      ]
      if !allowsParallelCalls { list.append(("maxItems", .integer(1))) }
      return .jsonSchema(.object(JSONMembers(list)))
    }
  }
}

extension JSONMembers {
  /// Members with distinct keys.
  init(_ members: [(String, JSONValue)]) {
    self.init()
    for (key, value) in members { _ = append(key, value) }
  }
}
