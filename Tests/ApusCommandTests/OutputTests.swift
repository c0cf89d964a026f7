import Foundation
import Testing

@testable import ApusCommand

@Suite struct OutputTests {
  private func write(_ text: String, to file: OutputFile) throws {
    try Array(text.utf8).withUnsafeBytes { try file.write($0) }
  }

  @Test func leavesNothingUnlessCommitted() throws {
    let folder = try TemporaryFolder()
    try folder.write("out", "old")
    do {
      let file = try OutputFile(path: folder.url.appending(path: "out").path)
      try write("new", to: file)
    }
    #expect(try folder.names() == ["out"])
    #expect(try String(contentsOf: folder.url.appending(path: "out"), encoding: .utf8) == "old")
  }

  @Test func replacesTheFileWhenCommitted() throws {
    let folder = try TemporaryFolder()
    try folder.write("out", "old and longer")
    let file = try OutputFile(path: folder.url.appending(path: "out").path)
    try write("new", to: file)
    try file.commit()
    #expect(try folder.names() == ["out"])
    #expect(try String(contentsOf: folder.url.appending(path: "out"), encoding: .utf8) == "new")
  }

  @Test func followsSymbolicLinks() throws {
    let folder = try TemporaryFolder()
    let target = try folder.write("target", "old")
    let link = folder.url.appending(path: "link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
    let file = try OutputFile(path: link.path)
    try write("new", to: file)
    try file.commit()
    #expect(try String(contentsOf: target, encoding: .utf8) == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == target.path)
  }

  @Test func writesToDevicesAsTheyAre() throws {
    let file = try OutputFile(path: "/dev/null")
    try write("gone", to: file)
    try file.commit()
    let attributes = try FileManager.default.attributesOfItem(atPath: "/dev/null")
    #expect(attributes[.type] as? FileAttributeType == .typeCharacterSpecial)
  }

  @Test func refusesAFolderThatIsNotThere() {
    var message = ""
    do { _ = try OutputFile(path: "/nowhere/at/all") } catch { message = error.description }
    #expect(message == "/nowhere/at/all: cannot be written: No such file or directory")
  }

  @Test func showsErrorsOnOneLine() {
    #expect("a\nb\u{1B}[2Jc\u{2028}é😀".asOneLine == "a\\nb\\u{1B}[2Jc\\u{2028}é😀")
  }

  @Test func groupsDigitsAndRoundsBytes() {
    #expect([0, 12, 123, 1234, 494_032_768].map(\.grouped) == ["0", "12", "123", "1,234", "494,032,768"])
    #expect(
      [0, 999, 1000, 9994, 99_940, 999_499, 988_097_824].map(\.asBytes)
        == ["0 bytes", "999 bytes", "1.0 kB", "9.99 kB", "99.9 kB", "999 kB", "988 MB"])
    #expect(999_500.asBytes == "1.0 MB")
  }
}
