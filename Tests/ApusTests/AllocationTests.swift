import Foundation
import Testing

/// Runs `AllocationCheck`, which is built beside these tests and counts every allocation of its process.
@Suite struct AllocationTests {
  private static let isCounted: Bool = {
    #if os(Linux)
      true
    #else
      false
    #endif
  }()

  private static let isOptimized: Bool = {
    #if DEBUG
      false
    #else
      true
    #endif
  }()

  /// Allocations of each case, by its name.
  private func counts() throws -> [String: Int] {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder = bundle?.bundleURL.deletingLastPathComponent() ?? Bundle.main.bundleURL
    let process = Process()
    process.executableURL = folder.appending(path: "AllocationCheck")
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      guard let colon = line.lastIndex(of: ":"), line.hasSuffix(" steps") else { continue }
      counts[String(line[..<colon])] = Int(line[colon...].split(separator: " ")[1])
    }
    return counts
  }

  @Test(
    .enabled(if: isCounted, "allocations are counted on Linux only"),
    .enabled(if: isOptimized, "unoptimized Swift allocates: run Tests/AllocationCheck/run.sh"))
  func aSteadyStepAllocatesNothing() throws {
    let counts = try counts()
    #expect(counts.count == 12)
    #expect(counts.filter { $0.value > 0 } == [:])
  }

  /// What unoptimized code takes for its own purposes is the same in every step: nothing that grows is among it.
  @Test(
    .enabled(if: isCounted, "allocations are counted on Linux only"),
    .enabled(if: !isOptimized, "optimized code allocates nothing, which another test says"))
  func aSteadyStepOfUnoptimizedCodeAllocatesLittle() throws {
    let counts = try counts()
    #expect(counts.count == 12)
    #expect(counts.filter { $0.value > 200_000 } == [:])
  }
}
