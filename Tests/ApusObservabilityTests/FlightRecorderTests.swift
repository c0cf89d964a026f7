import ApusEngine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ApusObservability

struct FlightRecorderTests {
  private struct DiskFull: Error {}

  private func token(_ position: Int) -> EngineEvent {
    .token(
      RequestID(rawValue: 0), slot: 0, GeneratedToken(id: 5, position: position), at: .nanoseconds(position))
  }

  private let arrival = EngineEvent.submitted(
    RequestArrival(id: RequestID(rawValue: 0), promptTokens: [1]), at: .zero)

  @Test func aRecordingHoldsAllThatTheEngineTold() async throws {
    let bytes = RecordedBytes()
    let log = EventLog()
    let recorder = FlightRecorder(.test, to: bytes.write)
    let run = try ObservedRun(seed: 11) { event in
      recorder.record(event)
      log.record(event)
    }
    try await run.runToEnd()
    let summary = recorder.close()
    #expect(summary.recordCount == log.events.count && summary.droppedCount == 0 && summary.error == nil)
    let recording = try Recording(lines: bytes.lines)
    #expect(recording.isComplete && recording.requests.count == run.streams.count)
    for request in recording.requests {
      let result = try #require(run.results[request.arrival.id])
      #expect(request.allTokens == result.tokenIDs)
      #expect(request.finish?.digest.count == result.tokens.count)
      var digest = TokenDigest()
      for token in result.tokens { digest.append(token) }
      #expect(request.finish?.digest == digest)
    }
  }

  @Test func aDiskThatStandsStillDropsWholeRecordsAndBlocksNobody() throws {
    let bytes = RecordedBytes()
    let gate = DispatchSemaphore(value: 0)
    let writes = Mutex(0)
    let recorder = FlightRecorder(.test, limits: .init(countMax: 64, byteCountMax: 1 << 20)) { data in
      // The header passes; then the disk stands still.
      if writes.withLock({
        $0 += 1; return $0
      }) == 2 {
        gate.wait()
      }
      bytes.write(data)
    }
    recorder.record(arrival)
    let clock = ContinuousClock()
    let time = clock.measure { for position in 1...10_000 { recorder.record(token(position)) } }
    #expect(time < .seconds(5))
    recorder.record(.finished(RequestID(rawValue: 0), slot: 0, .length, at: .seconds(1)))
    gate.signal()
    let summary = recorder.close()
    #expect(summary.recordCount + summary.droppedCount == 10_002)
    #expect(summary.droppedCount > 9_000)
    let recording = try Recording(lines: bytes.lines)
    #expect(recording.droppedCount == summary.droppedCount && recording.isComplete)
    // The end is there, and with it the hashes over all tokens.
    var digest = TokenDigest()
    for position in 1...10_000 { digest.append(GeneratedToken(id: 5, position: position)) }
    #expect(recording.requests[0].finish?.digest == digest)
    #expect(recording.requests[0].allTokens == nil)
  }

  @Test func aDiskThatFailsEndsTheRecordingAndNotTheRun() {
    let writes = Mutex(0)
    let recorder = FlightRecorder(.test) { _ in
      if writes.withLock({
        $0 += 1; return $0
      }) > 1 {
        throw DiskFull()
      }
    }
    recorder.record(arrival)
    for position in 1...100 { recorder.record(token(position)) }
    let summary = recorder.close()
    #expect(summary.error is DiskFull)
    recorder.record(token(101))
    #expect(recorder.close().error is DiskFull)
  }

  @Test func whatWasRecordedIsWrittenWithoutBeingClosed() async throws {
    let bytes = RecordedBytes()
    let recorder = FlightRecorder(.test, to: bytes.write)
    recorder.record(arrival)
    recorder.record(token(1))
    for _ in 0..<500 where bytes.lines.count < 3 { try await Task.sleep(for: .milliseconds(20)) }
    let recording = try Recording(lines: bytes.lines)
    #expect(recording.requests.first?.tokens.count == 1 && !recording.isComplete)
    recorder.close()
  }
}
