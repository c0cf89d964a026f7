import ApusCheckpoint
import Foundation
import TestSupport
import Testing

@Suite struct JSONTests {
  func parse(_ bytes: [UInt8]) throws -> JSONObject {
    try bytes.withUnsafeBytes { try JSONObject(parsing: $0, file: "file.json") }
  }

  func parse(_ text: String) throws -> JSONObject { try parse(Array(text.utf8)) }

  /// The value that `text` stands for, read as a member of an object.
  func value(_ text: String) throws -> JSONValue? { try parse("{\"v\":\(text)}").members["v"] }

  func expectRefused(
    _ bytes: [UInt8], _ reason: JSONError.Reason, at location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: CheckpointError.self, sourceLocation: location) { try parse(bytes) }
    guard case .malformedJSON("file.json", let json)? = error else { return }
    #expect(json.reason == reason, sourceLocation: location)
    #expect((0...bytes.count).contains(json.offset), sourceLocation: location)
  }

  func expectValueRefused(
    _ text: String, _ reason: JSONError.Reason, at location: SourceLocation = #_sourceLocation
  ) {
    expectRefused(Array("{\"v\":\(text)}".utf8), reason, at: location)
  }

  // MARK: - Values

  @Test func readsEveryKindOfValue() throws {
    #expect(try value("null") == .null)
    #expect(try value("true") == .boolean(true))
    #expect(try value("false") == .boolean(false))
    #expect(try value("[1, \"a\" ,[ ]]") == .array([.integer(1), .string("a"), .array([])]))
    let nested = try #require(try parse(" {\"a\" : {\"b\":\t1},\r\n\"c\":2 } ").objectIfPresent("a"))
    #expect(try nested.integer("b") == 1)
    #expect(nested.fieldPath("b") == "a.b")
  }

  @Test func keepsIntegersExactAndNeverTraps() throws {
    #expect(try value("9223372036854775807") == .integer(.max))
    #expect(try value("-9223372036854775808") == .integer(.min))
    #expect(try value("9223372036854775808") == .number(9223372036854775808))
    #expect(try value("-0") == .integer(0))
    #expect(try value("1" + String(repeating: "0", count: 300)) == .number(1e300))
    expectValueRefused("1" + String(repeating: "0", count: 400), .numberOutOfRange)
    expectValueRefused("-1e309", .numberOutOfRange)
    #expect(try value("1e-999") == .number(0))
  }

  @Test(arguments: ["0.1", "-2.5e-3", "1E+2", "1e05", "3.141592653589793", "2.2250738585072014e-308"])
  func readsNumbersAsTheNearestDouble(text: String) throws {
    #expect(try value(text) == .number(try #require(Double(text))))
  }

  @Test(arguments: [
    "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x10", "1_000", "--1", "1.e3", "Infinity", "NaN",
  ])
  func refusesNumbersOutsideTheGrammar(text: String) {
    #expect(throws: CheckpointError.self) { try value(text) }
  }

  @Test func readsEscapes() throws {
    #expect(try value(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{C}\n\r\t"))
    #expect(try value(#""\u0041\u00e9\u4E2d\uD83D\uDE00\u0000""#) == .string("A\u{E9}\u{4E2D}\u{1F600}\u{0}"))
    #expect(try value("\"\u{1F600}\u{7F}\"") == .string("\u{1F600}\u{7F}"))
  }

  @Test(arguments: [
    #""\x41""#, #""\u12G4""#, #""\uD83D""#, #""\uDE00""#, #""\uD83Dx""#, #""\uD83D\n""#, #""\uD83D\u0041""#,
    #""\uDE00\uD83D""#, #""\U0041""#, "\"\\u\u{FF11}234\"",
  ])
  func refusesInvalidEscapes(text: String) {
    expectValueRefused(text, .invalidEscape)
  }

  @Test func refusesControlCharactersInStrings() {
    for byte in UInt8(0)..<0x20 {
      expectRefused(Array("{\"v\":\"".utf8) + [byte] + Array("\"}".utf8), .controlCharacter)
    }
  }

  @Test(arguments: [
    [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
  ])
  func refusesStringsThatAreNotUTF8(bytes: [UInt8]) {
    expectRefused(Array("{\"v\":\"".utf8) + bytes + Array("\"}".utf8), .invalidUTF8)
  }

  // MARK: - Structure

  @Test(arguments: [
    "", " ", "{", "{\"v\"", "{\"v\":", "{\"v\":1", "{\"v\":1,", "{\"v\":[1", "{\"v\":\"a", "{\"v\":\"\\",
    "{\"v\":tru",
    "{\"v\":\"\\u00",
  ])
  func refusesTextThatEndsEarly(text: String) {
    expectRefused(Array(text.utf8), .unexpectedEnd)
  }

  @Test(arguments: [
    "{,}", "{\"v\":1,}", "{\"v\" 1}", "{v:1}", "{'v':1}", "{\"v\":[1,]}", "{\"v\":[,1]}", "{\"v\":[1 2]}",
    "{\"v\":True}", "{\"v\":nul}", "{\"v\":}", "{\"v\":1;}", "{/**/}", "\u{FEFF}{}",
  ])
  func refusesTextOutsideTheGrammar(text: String) {
    let error = #expect(throws: CheckpointError.self) { try parse(text) }
    guard case .malformedJSON(_, let json)? = error, case .unexpectedByte = json.reason else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
  }

  @Test func refusesTextAfterTheObject() {
    expectRefused(Array("{} {}".utf8), .trailingBytes)
    expectRefused(Array("{}\0".utf8), .trailingBytes)
  }

  @Test(arguments: ["[]", "1", "\"a\"", "null"])
  func refusesAFileThatIsNotAnObject(text: String) {
    let error = #expect(throws: CheckpointError.self) { try parse(text) }
    guard case .invalidField("file.json", _, _, "a JSON object")? = error else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
  }

  @Test func refusesDuplicateKeysAtEveryDepth() {
    expectRefused(Array("{\"a\":1,\"b\":2,\"a\":1}".utf8), .duplicateKey("a"))
    expectRefused(Array("{\"a\":{\"b\":[{\"c\":1,\"\\u0063\":2}]}}".utf8), .duplicateKey("c"))
  }

  @Test(arguments: [1, 2, 7, 8, 9, 10, 40])
  func findsEveryKeyOfAnObjectOfAnySize(count: Int) throws {
    let members = (0..<count).map { "\"key\($0)\":\($0)" }
    let object = try parse("{\(members.joined(separator: ","))}")
    #expect(object.members.count == count)
    for position in 0..<count {
      #expect(object.members["key\(position)"] == .integer(position))
      #expect(object.members[position].key == "key\(position)")
      let repeated = "{\(members.joined(separator: ",")),\"key\(position)\":0}"
      expectRefused(Array(repeated.utf8), .duplicateKey("key\(position)"))
    }
    #expect(object.members["key\(count)"] == nil)
  }

  @Test func keepsKeysApartThatDifferInBytesAlone() throws {
    let object = try parse("{\"caf\u{E9}\":1,\"cafe\u{301}\":2}")
    #expect(object.members["caf\u{E9}"] == .integer(1))
    #expect(object.members["cafe\u{301}"] == .integer(2))
  }

  @Test func refusesDeepNesting() throws {
    func nested(_ depth: Int) -> [UInt8] {
      Array(
        ("{\"v\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}").utf8)
    }
    #expect(try parse(nested(63)).has("v"))
    expectRefused(nested(64), .tooDeep(limit: 64))
    expectRefused(nested(1_000_000), .tooDeep(limit: 64))
  }

  @Test func refusesMoreValuesThanTheLimit() {
    let limit = 1 << 21
    // The byte that is not JSON is never reached.
    let zeros = [UInt8](unsafeUninitializedCapacity: 2 * limit) { buffer, count in
      buffer.initialize(repeating: UInt8(ascii: "0"))
      for comma in stride(from: 0, to: buffer.count, by: 2) { buffer[comma] = UInt8(ascii: ",") }
      count = buffer.count
    }
    expectRefused(Array("{\"v\":[0".utf8) + zeros + [0xFF], .tooManyValues(limit: limit))
  }

  // MARK: - Getters

  @Test func namesFileFieldValueAndExpectation() throws {
    let rope = try parse("{\"rope\":{\"factor\":\"two\"}}").object("rope")
    let error = #expect(throws: CheckpointError.self) { try rope.numberIfPresent("factor") }
    #expect("\(try #require(error))" == "file.json: field rope.factor is \"two\"; expected a number")
    let missing = #expect(throws: CheckpointError.self) { try rope.integer("size", in: 1...8) }
    #expect(
      "\(try #require(missing))" == "file.json: field rope.size is missing; expected an integer from 1 to 8")
  }

  @Test func showsHostileTextEscapedAndShort() throws {
    let object = try parse("{\"v\":\"\\u001b[2J\(String(repeating: "x", count: 10_000))\"}")
    let error = #expect(throws: CheckpointError.self) { try object.integer("v") }
    let text = "\(try #require(error))"
    #expect(text.utf8.count < 200)
    #expect(!text.contains("\u{1B}"))
  }

  @Test func refusesValuesOfAnotherType() throws {
    let object = try parse("{\"i\":1,\"n\":1.5,\"s\":\"x\",\"b\":true,\"a\":[1],\"o\":{},\"z\":null}")
    for key in ["n", "s", "b", "a", "o"] {
      #expect(throws: CheckpointError.self) { try object.integerIfPresent(key) }
    }
    for key in ["s", "b", "a", "o"] {
      #expect(throws: CheckpointError.self) { try object.numberIfPresent(key) }
    }
    for key in ["i", "n", "b", "a", "o"] {
      #expect(throws: CheckpointError.self) { try object.stringIfPresent(key) }
      #expect(throws: CheckpointError.self) { try object.stringsIfPresent(key) }
    }
    for key in ["i", "n", "s", "a", "o"] {
      #expect(throws: CheckpointError.self) { try object.booleanIfPresent(key) }
    }
    for key in ["i", "n", "s", "b", "a", "z", "none"] {
      #expect(throws: CheckpointError.self) { try object.object(key) }
    }
    #expect(try object.integerIfPresent("z") == nil)
    #expect(object.isNull("z") && !object.isNull("none") && !object.has("z"))
  }

  @Test func refusesAConfigurationFileBeyondTheLimit() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("config.json", "{\"v\":\"\(String(repeating: "x", count: 100))\"}")
    #expect(try JSONObject.read(file).has("v"))
    #expect(throws: CheckpointError.tooLarge(path: file.path, byteCount: 108, limit: 64)) {
      try JSONObject.read(file, byteCountMax: 64)
    }
  }

  // MARK: - Random documents

  /// A random value and one of its spellings.
  func random(_ random: inout SplitMix64, depth: Int) -> (JSONValue, String) {
    switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &random) {
    case 0: return (.null, "null")
    case 1: return (.boolean(true), "true")
    case 2:
      let value = Int(truncatingIfNeeded: random.next() >> random.next() % 64)
      return (.integer(value), "\(value)")
    case 3:
      let value = Double(Int64(truncatingIfNeeded: random.next())) * 0x1p-70
      return (.number(value), "\(value)")
    case 4:
      let scalars = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        Unicode.Scalar(UInt32.random(in: 0..<0xD800, using: &random))!
      }
      let text = String(String.UnicodeScalarView(scalars))
      return (.string(text), "\"\(scalars.map { spelling($0, using: &random) }.joined())\"")
    default:
      var values: [JSONValue] = []
      var texts: [String] = []
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let (value, text) = self.random(&random, depth: depth - 1)
        values.append(value)
        texts.append(text)
      }
      return (.array(values), "[ \(texts.joined(separator: " ,\n")) ]")
    }
  }

  func spelling(_ scalar: Unicode.Scalar, using random: inout SplitMix64) -> String {
    let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
    guard mustEscape || Bool.random(using: &random) else { return String(Character(scalar)) }
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  @Test func readsBackRandomDocuments() throws {
    var generator = SplitMix64(seed: 7)
    for _ in 0..<2000 {
      let (expected, text) = random(&generator, depth: 4)
      #expect(try value(text) == expected, "\(text)")
    }
  }
}
