import ApusCheckpoint
import Testing

/// An answer, taken apart.
struct HTTPReply: Sendable {
  var status: Int
  /// By lower-case name.
  var headers: [String: String]
  var body: String

  /// One answer from the beginning of a text; what follows is left.
  init(_ text: String) throws {
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2, "\(text)")
    let lines = parts[0].split(separator: "\r\n")
    status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    headers = [:]
    for line in lines.dropFirst() {
      let field = line.split(separator: ":", maxSplits: 1)
      headers[field[0].lowercased()] = field[1].trimmingPrefix(" ").description
    }
    let rest = Array(parts[1].utf8)
    if headers["transfer-encoding"] == "chunked" {
      body = Self.dechunked(rest[...])
    } else {
      let length = headers["content-length"].flatMap { Int($0) } ?? rest.count
      body = String(decoding: rest.prefix(length), as: UTF8.self)
    }
  }

  private static func dechunked(_ bytes: ArraySlice<UInt8>) -> String {
    var rest = bytes
    var body: [UInt8] = []
    while let end = rest.firstIndex(of: 0x0A) {
      let line = String(decoding: rest[..<end], as: UTF8.self).filter(\.isHexDigit)
      guard let count = Int(line, radix: 16), count > 0 else { break }
      body += rest[(end + 1)...].prefix(count)
      rest = rest[(end + 1)...].dropFirst(count + 2)
    }
    return String(decoding: body, as: UTF8.self)
  }

  var json: TestJSON { get throws { try TestJSON(body) } }

  /// The values of a stream's events, without its end, which must be there.
  var events: [TestJSON] {
    get throws {
      var lines = body.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { $0.dropFirst(6) }
      let last = lines.popLast()
      #expect(last == "[DONE]")
      return try lines.map { try TestJSON(String($0)) }
    }
  }

  /// Expects OpenAI's error object.
  func expectError(
    _ status: Int, code: String? = nil, param: String? = nil, message: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(self.status == status, "\(body)", sourceLocation: sourceLocation)
    let error = try json["error"]
    #expect(error["type"].string != nil, "\(body)", sourceLocation: sourceLocation)
    if let code { #expect(error["code"].string == code, "\(body)", sourceLocation: sourceLocation) }
    if let param { #expect(error["param"].string == param, "\(body)", sourceLocation: sourceLocation) }
    #expect(error["message"].string?.contains(message) == true, "\(body)", sourceLocation: sourceLocation)
  }
}

/// A JSON value that tests look into.
struct TestJSON: Sendable, Equatable {
  var value: JSONValue?

  init(_ text: String) throws {
    var text = text
    value = try text.withUTF8 { try JSONValue(parsing: UnsafeRawBufferPointer($0), file: "reply") }
  }

  init(_ value: JSONValue?) { self.value = value }

  subscript(key: String) -> TestJSON {
    guard case .object(let members)? = value else { return TestJSON(nil as JSONValue?) }
    return TestJSON(members[key])
  }

  subscript(index: Int) -> TestJSON {
    array.indices.contains(index) ? array[index] : TestJSON(nil as JSONValue?)
  }

  var array: [TestJSON] {
    guard case .array(let values)? = value else { return [] }
    return values.map { TestJSON($0) }
  }

  var string: String? { if case .string(let string)? = value { string } else { nil } }
  var integer: Int? { if case .integer(let integer)? = value { integer } else { nil } }
  var isNull: Bool { value == .null }
  var keys: [String] { if case .object(let members)? = value { members.keys } else { [] } }
}
