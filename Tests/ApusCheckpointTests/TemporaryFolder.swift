import Foundation

/// A folder of one test's own, removed with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "apus-checkpoint-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file in the folder and gives its address.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> URL {
    let file = url.appending(path: name)
    try Data(bytes).write(to: file)
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> URL { try write(name, Array(text.utf8)) }
}

/// A file rewritten in place thousands of times: emptying it first, as writing anew does, makes some file
/// systems wait for the disk each time.
final class RewrittenFile {
  let url: URL
  private let handle: FileHandle

  init(_ folder: TemporaryFolder, _ name: String) throws {
    url = try folder.write(name, [])
    handle = try FileHandle(forUpdating: url)
  }

  deinit { try? handle.close() }

  func write(_ bytes: [UInt8]) throws {
    try handle.seek(toOffset: 0)
    try handle.write(contentsOf: Data(bytes))
    try handle.truncate(atOffset: UInt64(bytes.count))
  }
}
