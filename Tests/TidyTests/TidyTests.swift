import Foundation
import Testing

/// The rules of style that a machine can hold: sizes, layers, nothing left for later.
@Suite struct TidyTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  struct SourceFile: Sendable, CustomTestStringConvertible {
    let path: String
    let lines: [Substring]
    var testDescription: String { path }
    var isSwift: Bool { path.hasSuffix(".swift") }
  }

  /// Tables of data, long by nature.
  private static let tables = ["UnicodeData"]

  static let files: [SourceFile] = ["CKernels", "Sources", "Benchmarks", "Tests"].flatMap(read)

  private static func read(_ folder: String) -> [SourceFile] {
    let entries = FileManager.default.enumerator(atPath: root.appending(path: folder).path)?.allObjects ?? []
    let endings: Set = ["swift", "c", "h", "def", "py", "sh"]
    var files: [SourceFile] = []
    for name in entries.compactMap({ $0 as? String }).sorted() {
      let path = folder + "/" + name
      let ending = name.split(separator: ".").last.map { String($0) } ?? ""
      guard endings.contains(ending), !tables.contains(where: { path.contains($0) }),
        let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
      else { continue }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      files.append(SourceFile(path: path, lines: lines))
    }
    return files
  }

  @Test func findsTheSources() {
    #expect(Self.files.count > 100)
  }

  @Test func filesStayUnder500Lines() {
    #expect(Self.files.filter { $0.lines.count > 500 }.map { "\($0.path): \($0.lines.count)" } == [])
  }

  /// But for text between quotation marks, which loses by being cut.
  @Test func linesOfCodeStayWithin120Columns() {
    let long = Self.files.flatMap { file in
      file.lines.enumerated().filter { $0.element.count > 120 && !$0.element.contains("\"") }
        .map { "\(file.path):\($0.offset + 1)" }
    }
    #expect(long == [])
  }

  @Test func functionsStayUnder70Lines() {
    #expect(Self.files.filter(\.isSwift).flatMap(longFunctions) == [])
  }

  /// But for tests and benchmarks of the kernels themselves.
  @Test func onlyApusKernelsImportsTheKernels() {
    let importers = Self.files.filter { file in
      file.isSwift && file.lines.contains { $0.hasSuffix("import CKernels") }
    }
    let strangers = importers.map(\.path).filter {
      !$0.hasPrefix("Sources/ApusKernels/") && !$0.hasPrefix("Tests/CKernelsTests/")
        && !$0.hasPrefix("Tests/ApusKernelsTests/") && !$0.hasPrefix("Benchmarks/KernelBenchmark/")
    }
    #expect(strangers == [])
  }

  @Test func openMPStaysInOneFile() {
    let users = Self.files.filter { file in file.lines.contains { $0.hasPrefix("#pragma omp") } }
    #expect(users.map(\.path) == ["CKernels/src/parallel.c"])
  }

  @Test func nothingIsLeftForLater() {
    // In two parts, so that this file does not find itself.
    let marks = ["TO" + "DO", "FIX" + "ME"]
    let found = Self.files.flatMap { file in
      file.lines.enumerated().filter { line in marks.contains { line.element.contains($0) } }
        .map { "\(file.path):\($0.offset + 1)" }
    }
    #expect(found == [])
  }

  /// Functions by their indentation: from a line that declares one to the brace that closes it in the same column.
  private func longFunctions(in file: SourceFile) -> [String] {
    var found: [String] = []
    for (start, line) in file.lines.enumerated() {
      let words = line.drop { $0 == " " }
      let declares = words.contains("func ") || words.hasPrefix("init") || words.contains(" init(")
      guard declares, !words.hasPrefix("//"), !words.hasSuffix("}") else { continue }
      let close = String(repeating: " ", count: line.count - words.count) + "}"
      guard let end = file.lines[start...].firstIndex(where: { $0.hasPrefix(close) }) else { continue }
      if end - start >= 70 { found.append("\(file.path):\(start + 1): \(end - start + 1) lines") }
    }
    return found
  }
}
