/// Why a recording was refused, and at which line; the first is 1. `description` is one line of text.
public enum RecordingError: Error, Sendable, Equatable {
  /// The first line is no header.
  case notARecording(line: Int, found: String)
  /// Made by another version of the format.
  case format(line: Int, found: Int)
  /// A line that is not JSON, or lacks a field, or has one that is not what it must be.
  case malformed(line: Int, problem: String)
  /// A line of this name is none of a recording's.
  case unknownRecord(line: Int, name: String)
  /// A line that cannot follow those before it.
  case outOfOrder(line: Int, problem: String)
  /// The last line has no end: the file was cut off, or is still written.
  case truncated(line: Int)
  /// More than a reader takes.
  case tooMany(line: Int, what: String, limit: Int)
  case empty
}

extension RecordingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notARecording(let line, let found):
      "line \(line): \(found); expected the header of a recording"
    case .format(let line, let found):
      "line \(line): a recording of format \(found); expected \(RecordingHeader.formatVersion)"
    case .malformed(_, let problem): problem
    case .unknownRecord(let line, let name):
      "line \(line): a record named \(name); expected \(RecordingParser.names.joined(separator: ", "))"
    case .outOfOrder(let line, let problem): "line \(line): \(problem)"
    case .truncated(let line): "line \(line): the recording is cut off here"
    case .tooMany(let line, let what, let limit): "line \(line): more than \(limit) \(what)"
    case .empty: "the recording is empty; expected a header"
    }
  }
}
