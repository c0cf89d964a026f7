import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One line on the terminal that says how far things are; nothing where standard error is no terminal.
final class ProgressLine: Sendable {
  private let isShown = isatty(STDERR_FILENO) != 0
  private let clock = ContinuousClock()
  private let lastWrite: Mutex<ContinuousClock.Instant?> = Mutex(nil)

  /// Replaces the line, ten times a second at most.
  func show(_ text: @autoclosure () -> String) {
    guard isShown else { return }
    let now = clock.now
    let isDue = lastWrite.withLock { last in
      if let last, now - last < .milliseconds(100) { return false }
      last = now
      return true
    }
    if isDue { write("\r\u{1b}[K" + text()) }
  }

  /// Removes the line.
  func erase() {
    guard isShown else { return }
    let wasShown = lastWrite.withLock { last in
      defer { last = nil }
      return last != nil
    }
    if wasShown { write("\r\u{1b}[K") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

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
