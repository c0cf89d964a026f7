public import ApusEngine
import Foundation

/// Writes what an engine does as JSON lines, so that any request can be run again alone and compared, bit for bit.
///
/// Pass `record` to the engine as its observer. There it appends to a bounded buffer and hashes the token: a thread
/// of its own turns the buffer into lines a few times a second. When that thread falls behind, because the disk
/// does, records are dropped whole and counted in the recording; a step never waits. `RecordEncoder` says what the
/// lines are. Prompts and outputs are in them, as tokens: keep recordings as you would keep those.
public final class FlightRecorder: @unchecked Sendable {
  /// Takes bytes to where they are kept. May block; what it throws ends the recording, and no step.
  public typealias Sink = @Sendable (UnsafeRawBufferPointer) throws -> Void

  /// What became of a recording.
  public struct Summary: Sendable {
    /// Events recorded, and those that were dropped.
    public var recordCount = 0
    public var droppedCount = 0
    public var byteCount = 0
    /// Why it ended early.
    public var error: (any Error)?
  }

  /// How long records gather before they are written, unless the buffer is half full.
  private static let gathering = 0.1

  // Guarded by `condition`.
  private var buffer: RecordBuffer
  private var digests: [RequestID: TokenDigest] = [:]
  private var isClosing = false
  private var summary: Summary?
  private let condition = NSCondition()
  private let sink: Sink

  /// Starts a recording with its header. It goes on, thread and all, until `close` is called.
  public convenience init(_ header: RecordingHeader, to sink: @escaping Sink) {
    self.init(header, limits: RecordBuffer.Limits(), to: sink)
  }

  init(_ header: RecordingHeader, limits: RecordBuffer.Limits, to sink: @escaping Sink) {
    buffer = RecordBuffer(limits: limits)
    self.sink = sink
    let thread = Thread { [self] in write(header, capacity: limits.countMax) }
    thread.name = "apus.recorder"
    thread.start()
  }

  /// The engine's observer. Never waits for the disk.
  @Sendable public func record(_ event: EngineEvent) {
    condition.withLock {
      guard !isClosing, summary == nil else { return }
      var digest: TokenDigest?
      switch event {
      case .submitted(let arrival, _): digests[arrival.id] = TokenDigest()
      case .token(let id, _, let token, _): digests[id]?.append(token)
      case .finished(let id, _, _, _): digest = digests.removeValue(forKey: id)
      case .admitted, .reused, .preempted, .step: break
      }
      // A wake-up takes a processor from the step that runs: one for the first record, and one when it is time.
      let wasEmpty = buffer.isEmpty
      let wasHalfFull = buffer.isHalfFull
      buffer.append(BufferedRecord(event: event, digest: digest))
      if wasEmpty || (!wasHalfFull && buffer.isHalfFull) { condition.signal() }
    }
  }

  /// Writes what is left and the last line, and returns when that is done. Events after it are not recorded.
  @discardableResult
  public func close() -> Summary {
    condition.withLock {
      isClosing = true
      condition.broadcast()
      while summary == nil { condition.wait() }
      return summary!
    }
  }

  private func write(_ header: RecordingHeader, capacity: Int) {
    var encoder = RecordEncoder()
    var summary = Summary()
    encoder.append(header)
    var batch: [BufferedRecord] = []
    batch.reserveCapacity(capacity)
    var isLast = false
    repeat {
      do {
        try encoder.writer.bytes.withUnsafeBytes(sink)
        summary.byteCount += encoder.writer.bytes.count
      } catch {
        summary.error = error
        break
      }
      encoder.removeAll()
      if isLast { break }
      let dropped: Int
      (dropped, isLast) = takeRecords(into: &batch)
      for record in batch { encoder.append(record) }
      encoder.append(dropped: dropped)
      encoder.endTokens()
      if isLast { encoder.end() }
    } while true
    summary.recordCount = encoder.recordCount
    summary.droppedCount = encoder.droppedCount
    condition.withLock {
      self.summary = summary
      condition.broadcast()
    }
  }

  /// Waits until there are records, and some more gather. True: they are the last.
  private func takeRecords(into batch: inout [BufferedRecord]) -> (dropped: Int, isLast: Bool) {
    condition.withLock {
      while buffer.isEmpty && !isClosing { condition.wait() }
      let deadline = Date(timeIntervalSinceNow: Self.gathering)
      while !isClosing, !buffer.isHalfFull, condition.wait(until: deadline) {}
      return (buffer.take(into: &batch), isClosing)
    }
  }
}
