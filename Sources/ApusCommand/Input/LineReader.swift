/// The lines of a file or of standard input, each as soon as it is there.
///
/// A line ends with "\n" or "\r\n" or the end of the file. It must be UTF-8 and no longer than
/// `byteCountMax`. A byte order mark before the first line is no part of it.
struct LineReader: ~Copyable {
  static let byteCountMax = 64 << 20

  /// The number of the line read last; the first is 1.
  private(set) var number = 0
  /// The line read last is the file's last and has no end of its own.
  private(set) var isCutOff = false
  private let file: InputFile
  private var buffer: [UInt8] = []
  private var start = 0
  /// No line ends before this place.
  private var searched = 0
  private var isAtEnd = false

  /// - Parameter path: "-" for standard input.
  init(path: String) throws(CommandFailure) { file = try InputFile(path: path) }

  /// Where the line read last is, as errors name it.
  var place: String { "\(file.name), line \(number)" }

  /// The next line without its end; nil after the last.
  mutating func next() throws(CommandFailure) -> String? {
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer {
          start = end + 1
          searched = start
        }
        return try line(start..<end)
      }
      searched = buffer.count
      guard buffer.count - start <= Self.byteCountMax else {
        throw CommandFailure("\(file.name), line \(number + 1): longer than \(Self.byteCountMax) bytes")
      }
      if isAtEnd {
        guard start < buffer.count else { return nil }
        isCutOff = true
        defer { start = buffer.count }
        return try line(start..<buffer.count)
      }
      try fill()
    }
  }

  private mutating func line(_ range: Range<Int>) throws(CommandFailure) -> String {
    number += 1
    var bytes = buffer[range]
    if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    let content = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
    guard let line = String(validating: content, as: UTF8.self) else {
      throw CommandFailure("\(place): not UTF-8")
    }
    return line
  }

  private mutating func fill() throws(CommandFailure) {
    buffer.removeFirst(start)
    searched -= start
    start = 0
    isAtEnd = try !file.read(into: &buffer)
  }
}
