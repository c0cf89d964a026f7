import Logging
import Synchronization

/// Keeps what is logged.
struct TestLog: LogHandler {
  private final class Lines: Sendable {
    let lines = Mutex<[(level: Logger.Level, message: String)]>([])
  }

  private let lines = Lines()
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.debug

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String, file: String,
    function: String, line: UInt
  ) {
    lines.lines.withLock { $0.append((level, "\(message)")) }
  }

  func contains(_ message: String) -> Bool { lines.lines.withLock { $0.contains { $0.message == message } } }

  /// What was logged as something to look after.
  var complaints: [String] {
    lines.lines.withLock { $0.filter { $0.level >= .warning }.map(\.message) }
  }
}
