import BenchmarkSupport
import Foundation

/// Results for people, as they come. Silent when results go to a program.
struct Console: Sendable {
  let isText: Bool
  let progress: ProgressLine

  func say(_ text: String) {
    guard isText else { return }
    progress.erase()
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
