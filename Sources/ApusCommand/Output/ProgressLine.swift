/// One line on standard error that is written over as work goes on: on a terminal only, and only if it takes
/// a while.
final class ProgressLine {
  private let isShown = StandardStreams.errorIsTerminal
  private let clock = ContinuousClock()
  private var next: ContinuousClock.Instant
  private var isDirty = false

  init() { next = clock.now + .milliseconds(300) }

  deinit { clear() }

  /// Shows `text` unless another was shown just now.
  func update(_ text: @autoclosure () -> String) {
    guard isShown, clock.now >= next else { return }
    next = clock.now + .milliseconds(100)
    isDirty = true
    StandardStreams.writeError("\r\u{1B}[K\(text())")
  }

  /// Takes the line away.
  func clear() {
    if isDirty { StandardStreams.writeError("\r\u{1B}[K") }
    isDirty = false
  }
}
