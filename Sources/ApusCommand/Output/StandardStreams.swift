#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The reader of standard output has closed it: it has what it wanted.
struct ReaderGone: Error {}

/// Standard output and standard error.
enum StandardStreams {
  /// Once, before anything is opened: makes a closed pipe an error of `write` instead of a signal, and gives
  /// a standard stream that the caller closed to `/dev/null`, so that no other file gets its number.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      // The lowest free number is the one that is closed.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
    }
  }

  /// Writes `text` to standard output at once.
  /// - Throws: `ReaderGone`, or `CommandFailure`.
  static func write(_ text: String) throws {
    var text = text
    do {
      try text.withUTF8 { try writeAll(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }
    } catch let error as WriteError {
      if error.code == EPIPE { throw ReaderGone() }
      throw CommandFailure("standard output: \(error)")
    }
  }

  /// One line on standard error for what ends the command.
  static func report(_ error: any Error) {
    writeError("apus: \("\(error)".asOneLine)\n")
  }

  /// Writes to standard error; there is nowhere to tell that it failed.
  static func writeError(_ text: String) {
    var text = text
    text.withUTF8 { try? writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
  }

  /// Ends the process at once. An engine's thread may be in the middle of a step, and `exit` would take the
  /// threads' library down under it. All that was written is out: nothing here is buffered.
  static func end(exitCode: CInt) -> Never { _exit(exitCode) }

  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// What the system says about a `write` that failed.
struct WriteError: Error, CustomStringConvertible {
  let code: CInt

  var description: String { String(cString: strerror(code)) }
}

/// Writes all of `bytes`, however many calls that takes.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) throws(WriteError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno == EAGAIN {
      // Whoever gave us the descriptor made it non-blocking.
      var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = poll(&ready, 1, -1)
    } else if errno != EINTR {
      throw WriteError(code: errno)
    }
  }
}
