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
public final class ProgressLine: Sendable {
  private let isShown = isatty(STDERR_FILENO) != 0
  private let clock = ContinuousClock()
  private let lastWrite: Mutex<ContinuousClock.Instant?> = Mutex(nil)

  public init() {}

  /// Replaces the line, ten times a second at most.
  public func show(_ text: @autoclosure () -> String) {
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
  public func erase() {
    guard isShown else { return }
    let wasShown = lastWrite.withLock { last in
      defer { last = nil }
      return last != nil
    }
    if wasShown { write("\r\u{1b}[K") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
