#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file, a pipe or standard input, read from front to back.
struct InputFile: ~Copyable {
  /// The source as errors name it.
  let name: String
  private let descriptor: CInt

  /// - Parameter path: "-" for standard input.
  init(path: String) throws(CommandFailure) {
    name = Self.name(of: path)
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
  }

  deinit { if descriptor > STDIN_FILENO { close(descriptor) } }

  /// What errors call the file at `path`.
  static func name(of path: String) -> String { path == "-" ? "standard input" : path }

  /// Appends what there is to `bytes`; false at the end.
  func read(into bytes: inout [UInt8]) throws(CommandFailure) -> Bool {
    let chunk = 64 << 10
    while true {
      let count = withUnsafeTemporaryAllocation(byteCount: chunk, alignment: 1) { buffer in
        #if canImport(Glibc)
          let count = Glibc.read(descriptor, buffer.baseAddress, chunk)
        #elseif canImport(Musl)
          let count = Musl.read(descriptor, buffer.baseAddress, chunk)
        #else
          let count = Darwin.read(descriptor, buffer.baseAddress, chunk)
        #endif
        if count > 0 { bytes += buffer[..<count] }
        return count
      }
      if count >= 0 { return count > 0 }
      guard errno == EINTR else { throw failure() }
    }
  }

  /// All of it.
  func readAll(byteCountMax: Int) throws(CommandFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    while try read(into: &bytes) {
      guard bytes.count <= byteCountMax else {
        throw CommandFailure("\(name): longer than \(byteCountMax) bytes")
      }
    }
    return bytes
  }

  private func failure() -> CommandFailure {
    CommandFailure("\(name): cannot be read: \(String(cString: strerror(errno)))")
  }
}
