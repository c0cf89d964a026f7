import Foundation
import Testing

/// The `apus` executable that was built with these tests.
enum ApusBinary {
  /// What one run of it gave.
  struct Run {
    let exitCode: Int32
    let output: String
    let error: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Expects one line on standard error that begins with "apus: " and holds `words`, and exit code 1.
    func expectRefusal(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(exitCode == 1, sourceLocation: sourceLocation)
      #expect(error.hasPrefix("apus: "), "\(error)", sourceLocation: sourceLocation)
      #expect(error.hasSuffix("\n"), sourceLocation: sourceLocation)
      #expect(error.filter(\.isNewline).count == 1, "\(error)", sourceLocation: sourceLocation)
      for word in words { #expect(error.contains(word), "\(error)", sourceLocation: sourceLocation) }
    }
  }

  /// Beside the test bundle, or where the bundle is the executable itself, beside that.
  static let url: URL = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder = bundle?.bundleURL.deletingLastPathComponent() ?? Bundle.main.bundleURL
    return folder.appending(path: "apus")
  }()

  static func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    return process
  }

  /// Runs it to its end. Streams are files, so that no pipe can fill up.
  static func run(_ arguments: String..., input: String = "") throws -> Run {
    try run(arguments, input: input)
  }

  static func run(_ arguments: [String], input: String = "") throws -> Run {
    let folder = try TemporaryFolder()
    let process = process(arguments)
    process.standardInput = try FileHandle(forReadingFrom: folder.write("input", input))
    let output = try folder.write("output", "")
    let error = try folder.write("error", "")
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationReason == .exit, "ended by signal \(process.terminationStatus)")
    return Run(
      exitCode: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      error: try String(contentsOf: error, encoding: .utf8))
  }
}
