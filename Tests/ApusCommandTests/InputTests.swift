import Foundation
import Testing

@testable import ApusCommand

@Suite struct InputTests {
  private func lines(_ text: String) throws -> [String] {
    let folder = try TemporaryFolder()
    var reader = try LineReader(path: try folder.write("lines", text).path)
    var lines: [String] = []
    while let line = try reader.next() {
      lines.append(line)
      #expect(reader.number == lines.count)
    }
    #expect(try reader.next() == nil)
    return lines
  }

  @Test func splitsLinesWithAndWithoutALastEnd() throws {
    #expect(try lines("") == [])
    #expect(try lines("\n") == [""])
    #expect(try lines("a\nb") == ["a", "b"])
    #expect(try lines("a\r\n\r\nb\r\n") == ["a", "", "b"])
    #expect(try lines("a\rb\u{2028}c\n") == ["a\rb\u{2028}c"])
  }

  @Test func skipsAByteOrderMarkBeforeTheFirstLineOnly() throws {
    #expect(try lines("\u{FEFF}{}\n\u{FEFF}b") == ["{}", "\u{FEFF}b"])
  }

  @Test func keepsLinesLongerThanOneRead() throws {
    let long = String(repeating: "é", count: 100_000)
    #expect(try lines("x\n\(long)\n\(long)") == ["x", long, long])
  }

  @Test func refusesBytesThatAreNoUTF8ByLine() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "bad")
    try Data([0x61, 0x0A, 0xC3, 0x28, 0x0A]).write(to: file)
    var reader = try LineReader(path: file.path)
    #expect(try reader.next() == "a")
    var message = ""
    do { _ = try reader.next() } catch { message = error.description }
    #expect(message == "\(file.path), line 2: not UTF-8")
  }

  @Test func refusesFilesThatAreNotThere() {
    var message = ""
    do { _ = try LineReader(path: "/nowhere/at/all") } catch { message = error.description }
    #expect(message == "/nowhere/at/all: cannot be read: No such file or directory")
  }

  @Test func readsTokenIDLists() {
    #expect(TokenIDList(argument: "1,2,3")?.ids == [1, 2, 3])
    #expect(TokenIDList(argument: "[1, 2 ,3]")?.ids == [1, 2, 3])
    #expect(TokenIDList(argument: "7")?.ids == [7])
    #expect(TokenIDList(argument: "")?.ids == [])
    for wrong in ["a", "1;2", "1,2.5", "[1", "99999999999"] {
      #expect(TokenIDList(argument: wrong) == nil, "\(wrong)")
    }
  }

  @Test func readsTokenizerLines() throws {
    let place = "line 1"
    #expect(
      try TokenizeLine(line: #"{"text": "a", "special": false}"#, place: place, special: true)
        == TokenizeLine(text: "a", special: false, place: place))
    #expect(try TokenizeLine(line: #"{"text": ""}"#, place: place, special: true).special)
    #expect(
      try DetokenizeLine(line: #"{"ids": [], "skip_special": false}"#, place: place, skipSpecial: true)
        == DetokenizeLine(ids: [], skipSpecial: false, place: place))
    for wrong in [#""a""#, "{}", #"{"text": 1}"#, #"{"text": "a", "x": 1}"#, #"{"text": "\ud800"}"#] {
      #expect(throws: (any Error).self) {
        try TokenizeLine(line: wrong, place: place, special: true)
      }
    }
  }
}
