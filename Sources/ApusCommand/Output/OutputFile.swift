import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is there whole or not at all: written under another name in the same folder, then renamed.
///
/// What is no regular file (a terminal, a pipe, `/dev/null`) is written to as it is. A symbolic link is
/// followed.
final class OutputFile {
  private let path: String
  private let temporaryPath: String?
  private let descriptor: CInt
  private var isCommitted = false

  init(path: String) throws(CommandFailure) {
    let target = URL(filePath: path).resolvingSymlinksInPath()
    self.path = target.path
    var status = stat()
    if stat(target.path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      temporaryPath = nil
      descriptor = open(target.path, O_WRONLY | O_CLOEXEC)
    } else {
      let name = ".\(target.lastPathComponent).\(getpid())"
      let temporary = target.deletingLastPathComponent().appending(path: name).path
      temporaryPath = temporary
      descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    }
    guard descriptor >= 0 else { throw failure(WriteError(code: errno)) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let temporaryPath, !isCommitted, descriptor >= 0 { unlink(temporaryPath) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(CommandFailure) {
    do { try writeAll(bytes, to: descriptor) } catch { throw failure(error) }
  }

  /// Gives the file its name. Nothing may be written after.
  func commit() throws(CommandFailure) {
    if let temporaryPath {
      guard rename(temporaryPath, path) == 0 else { throw failure(WriteError(code: errno)) }
    }
    isCommitted = true
  }

  private func failure(_ error: WriteError) -> CommandFailure {
    CommandFailure("\(path): cannot be written: \(error)")
  }
}
