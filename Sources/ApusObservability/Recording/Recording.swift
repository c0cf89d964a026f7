public import ApusEngine

/// What a recording tells of its requests.
public struct Recording: Sendable, Equatable {
  public internal(set) var header: RecordingHeader
  /// In the order of arrival.
  public internal(set) var requests: [RecordedRequest] = []
  public internal(set) var stepCount = 0
  /// Records that the recorder had no room for.
  public internal(set) var droppedCount = 0
  /// The recorder was closed: nothing is missing at the end.
  public internal(set) var isComplete = false

  public subscript(id: RequestID) -> RecordedRequest? {
    requests.first { $0.arrival.id == id }
  }

  /// Reads the lines of a recording.
  public init(lines: some Sequence<String>) throws(RecordingError) {
    var parser = RecordingParser()
    for line in lines { try parser.append(line) }
    self = try parser.recording()
  }

  init(header: RecordingHeader) { self.header = header }
}
