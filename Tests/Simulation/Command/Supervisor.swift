import Foundation
import Simulator

/// Runs histories in processes of their own, so that one that crashes is a finding like others.
struct Supervisor {
  private let options: Arguments.Run
  private let folder: URL

  init(_ options: Arguments.Run) throws {
    self.options = options
    folder = FileManager.default.temporaryDirectory.appending(path: "apus-simulate-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private struct Child {
    var process: Process
    var status: WorkerStatus
    var output: URL
  }

  /// The exit code: 0 if all held.
  func run() throws -> Int32 {
    defer { try? FileManager.default.removeItem(at: folder) }
    let start = Date()
    var children: [Child] = []
    for index in 0..<options.workers { children.append(try startWorker(index)) }
    while !children.allSatisfy({ !$0.process.isRunning }) {
      // Who fails first ends the others.
      if children.contains(where: { !$0.process.isRunning && $0.process.terminationStatus != 0 }) { break }
      Thread.sleep(forTimeInterval: 0.1)
      showProgress(children, since: start)
    }
    for child in children where child.process.isRunning { child.process.terminate() }
    for child in children { child.process.waitUntilExit() }
    if isatty(2) == 1 { write("\r\u{1B}[K") }
    let failed = children.filter { $0.process.terminationStatus != 0 && !wasStopped($0) }
    guard let first = failed.min(by: { $0.status.seed < $1.status.seed }) else {
      report(children, seconds: Date().timeIntervalSince(start))
      return 0
    }
    try report(failure: first)
    return 1
  }

  private func wasStopped(_ child: Child) -> Bool {
    child.process.terminationReason == .uncaughtSignal && child.process.terminationStatus == SIGTERM
  }

  private func startWorker(_ index: Int) throws -> Child {
    let status = folder.appending(path: "status-\(index)")
    let output = folder.appending(path: "output-\(index)")
    try Data(count: 16).write(to: status)
    let workers = UInt64(options.workers)
    let count = (options.count + workers - 1 - UInt64(index)) / workers
    let process = try start(
      ["--work", "\(options.first + UInt64(index))", "\(count)", "\(workers)", status.path], output: output)
    guard let words = WorkerStatus(path: status.path) else {
      throw Arguments.Invalid(description: "\(status.path) cannot be mapped")
    }
    return Child(process: process, status: words, output: output)
  }

  private func start(_ arguments: [String], output: URL) throws -> Process {
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    if !FileManager.default.fileExists(atPath: "/proc/self/exe") {
      process.executableURL = URL(filePath: CommandLine.arguments[0])
    }
    process.arguments = arguments
    // A crash is told here, in a line.
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func showProgress(_ children: [Child], since start: Date) {
    guard isatty(2) == 1 else { return }
    let done = children.reduce(0) { $0 + $1.status.done }
    let rate = Double(done) / max(0.1, Date().timeIntervalSince(start))
    write("\r\(done) of \(options.count) histories, \(Int(rate)) a second\u{1B}[K")
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

  private func report(_ children: [Child], seconds: Double) {
    var coverage = Coverage()
    for child in children {
      let text = (try? String(contentsOf: child.output, encoding: .utf8)) ?? ""
      if let part = Coverage(text.trimmingCharacters(in: .newlines)) { coverage.add(part) }
    }
    let rate = Int(Double(options.count) / max(seconds, 0.001))
    print(
      "\(coverage[.histories]) histories, \(coverage[.steps]) steps, no violation: "
        + "\(String(format: "%.1f", seconds)) s, \(rate) histories a second")
    if options.showsCoverage { print(coverage) }
  }

  private func report(failure child: Child) throws {
    let seed = child.status.seed
    print("seed \(seed): \(try lastLine(of: child.process, child.output))")
    fflush(nil)
    print(try shrunk(seed: seed, crashes: child.process.terminationReason == .uncaughtSignal))
  }

  /// A process tries all that is smaller, which is fast; what crashes needs one for each.
  private func shrunk(seed: UInt64, crashes: Bool) throws -> String {
    let output = folder.appending(path: "shrunk")
    if !crashes {
      let process = try start(["--shrink", "\(seed)"], output: output)
      process.waitUntilExit()
      if process.terminationStatus == 0 {
        return try String(contentsOf: output, encoding: .utf8).trimmingCharacters(in: .newlines)
      }
    }
    let small = Shrinker.shrink(HistoryGenerator.history(seed: seed), tries: 500) { (try? replay($0)) != nil }
    return Replay.failure(of: small, message: try replay(small) ?? "holds")
  }

  /// How a history fails; nil: it holds.
  private func replay(_ history: History) throws -> String? {
    let output = folder.appending(path: "replay")
    let process = try start(["--replay", "\(history)"], output: output)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? nil : try lastLine(of: process, output)
  }

  private func lastLine(of process: Process, _ output: URL) throws -> String {
    if process.terminationReason == .uncaughtSignal {
      return
        "crashes with signal \(process.terminationStatus), a precondition most likely: replay it to see where"
    }
    let text = try String(contentsOf: output, encoding: .utf8)
    return text.split(separator: "\n").last.map(String.init) ?? "no output"
  }
}
