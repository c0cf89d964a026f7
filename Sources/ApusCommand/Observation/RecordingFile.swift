#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is written as a run goes on, so that what was recorded is there if the run does not end well.
final class RecordingFile: Sendable {
  private let path: String
  private let descriptor: CInt

  /// Empties the file, or makes it.
  init(path: String) throws(CommandFailure) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandFailure("\(path): cannot be written: \(WriteError(code: errno))")
    }
  }

  deinit { close(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer) throws(CommandFailure) {
    do { try writeAll(bytes, to: descriptor) } catch {
      throw CommandFailure("\(path): cannot be written: \(error)")
    }
  }
}
