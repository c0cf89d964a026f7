import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A regular file mapped read-only into memory for as long as the object lives.
///
/// Replacing the file by renaming another over it leaves the mapping as it was. Shortening it in place
/// takes pages away from under the mapping: `requireUnchanged` tells.
final class MappedFile: @unchecked Sendable {
  // Unchecked because pointers are not Sendable: nothing is mutable, and the memory is never written.
  let path: String
  let bytes: UnsafeRawBufferPointer
  private let descriptor: CInt

  /// Maps the file at `path`; symbolic links are followed, as model caches are made of them.
  init(path: String) throws(CheckpointError) {
    // Without O_NONBLOCK a named pipe would block here for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw .notFound(path: path, expected: "a file") }
      throw .unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    do throws(CheckpointError) {
      let byteCount = try regularFileSize(descriptor, path: path)
      bytes = try MappedFile.map(descriptor, byteCount: byteCount, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    close(descriptor)
  }

  private static func map(
    _ descriptor: CInt, byteCount: Int, path: String
  ) throws(CheckpointError) -> UnsafeRawBufferPointer {
    // An empty range cannot be mapped.
    guard byteCount > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let base = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let base, base != MAP_FAILED else {
      throw .unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    return UnsafeRawBufferPointer(start: base, count: byteCount)
  }

  /// Gives the pages of `range` back to the system, which reads them again when they are next looked at. For what was
  /// read once: a process that loads a large file would else seem to need it all.
  func release(_ range: Range<Int>) {
    guard let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let begin = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard begin < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + begin), end - begin, MADV_DONTNEED)
  }

  /// Throws `.changed` when the file's length is no longer that of the mapping.
  func requireUnchanged() throws(CheckpointError) {
    let byteCount = try regularFileSize(descriptor, path: path)
    guard byteCount == bytes.count else {
      throw .changed(path: path, byteCount: byteCount, expected: bytes.count)
    }
  }
}

/// The length of the open file in bytes; everything but a regular file is refused.
private func regularFileSize(_ descriptor: CInt, path: String) throws(CheckpointError) -> Int {
  var status = stat()
  guard fstat(descriptor, &status) == 0 else {
    throw .unreadable(path: path, reason: String(cString: strerror(errno)))
  }
  guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile(path: path) }
  return Int(status.st_size)
}
