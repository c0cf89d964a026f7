import Apus
import ApusEngine
import ApusKernels
import ApusObservability

/// Watches an engine for the files that `ObservationOptions` names.
final class RunObservation {
  private let recorder: FlightRecorder?
  private let recordingPath: String
  private let log: EventLog?
  private let traceFile: OutputFile?
  private let timelineFile: OutputFile?

  /// Opens the files.
  /// - Parameter header: of a recording; called only if one is asked for.
  init(_ options: ObservationOptions, header: () -> RecordingHeader) throws {
    traceFile = try options.trace.map { try OutputFile(path: $0) }
    timelineFile = try options.timeline.map { try OutputFile(path: $0) }
    log = options.trace == nil && options.timeline == nil ? nil : EventLog(capacity: 1 << 12)
    recordingPath = options.record ?? ""
    recorder = try options.record.map { path in
      let file = try RecordingFile(path: path)
      return FlightRecorder(header()) { try file.write($0) }
    }
  }

  /// For the engine; nil: nobody watches.
  var observer: (@Sendable (EngineEvent) -> Void)? {
    switch (recorder, log) {
    case (nil, nil): nil
    case (let recorder?, nil): recorder.record
    case (nil, let log?): log.record
    case (let recorder?, let log?):
      { event in
        recorder.record(event)
        log.record(event)
      }
    }
  }

  /// Writes what was watched, once requests have ended.
  func finish() throws {
    if let summary = recorder?.close() {
      if let error = summary.error { throw error }
      if summary.droppedCount > 0 {
        StandardStreams.writeError(
          "apus: \(recordingPath): \(summary.droppedCount) of \(summary.recordCount + summary.droppedCount) records "
            + "were dropped, as the file was slower than the run\n")
      }
    }
    guard let log else { return }
    let events = log.events
    try traceFile?.write(ChromeTrace.json(events))
    try timelineFile?.write(TimelineDrawing(TimelineBuilder(events).timelines).svg())
  }
}

extension OutputFile {
  /// Writes all of the file.
  fileprivate func write(_ text: String) throws(CommandFailure) {
    let written = Array(text.utf8).withUnsafeBytes { bytes in
      Result { () throws(CommandFailure) in try write(bytes) }
    }
    try written.get()
    try commit()
  }
}
