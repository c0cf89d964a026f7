import ApusEngine
import ApusObservability
import BenchmarkSupport
import Testing

@Suite struct RunFiguresTests {
  /// Two requests of 4 and 2 prompt tokens in two slots; times in milliseconds.
  static let events: [EngineEvent] = [
    .submitted(arrival(0, 4), at: .milliseconds(100)),
    .submitted(arrival(1, 2), at: .milliseconds(100)),
    .admitted(id(0), slot: 0, at: .milliseconds(110)),
    .step(StepRecord(start: .milliseconds(110), end: .milliseconds(150), prefillRows: 4, decodeRows: 0)),
    .token(id(0), slot: 0, GeneratedToken(id: 5, position: 4), at: .milliseconds(150)),
    .admitted(id(1), slot: 1, at: .milliseconds(150)),
    .step(StepRecord(start: .milliseconds(150), end: .milliseconds(180), prefillRows: 2, decodeRows: 1)),
    .token(id(0), slot: 0, GeneratedToken(id: 5, position: 5), at: .milliseconds(180)),
    .token(id(1), slot: 1, GeneratedToken(id: 5, position: 2), at: .milliseconds(180)),
    .step(StepRecord(start: .milliseconds(180), end: .milliseconds(200), prefillRows: 0, decodeRows: 2)),
    .token(id(0), slot: 0, GeneratedToken(id: 5, position: 6), at: .milliseconds(200)),
    .token(id(1), slot: 1, GeneratedToken(id: 5, position: 3), at: .milliseconds(200)),
    .finished(id(0), slot: 0, .length, at: .milliseconds(200)),
    .step(StepRecord(start: .milliseconds(200), end: .milliseconds(205), prefillRows: 0, decodeRows: 1)),
    .token(id(1), slot: 1, GeneratedToken(id: 5, position: 4), at: .milliseconds(210)),
    .finished(id(1), slot: 1, .length, at: .milliseconds(210)),
  ]

  static func arrival(_ value: UInt64, _ promptLength: Int) -> RequestArrival {
    RequestArrival(id: id(value), promptTokens: Array(repeating: 1, count: promptLength))
  }

  static func id(_ value: UInt64) -> RequestID { RequestID(rawValue: value) }

  static let traffic = DecodeTraffic(weightBytes: 1000, bytesPerPosition: 10, slidingWindows: [nil, 4])

  let figures = RunFigures(Self.events, batchSize: 2, traffic: Self.traffic, slotUtilization: 0.75)

  func near(_ value: Double?, _ expected: Double) -> Bool {
    guard let value else { return false }
    return abs(value - expected) <= 1e-9 * expected
  }

  @Test func aLogGivesWhatCameFromOneSubmissionOn() {
    let log = EventLog()
    let warmUp: [EngineEvent] = [
      .submitted(Self.arrival(7, 1), at: .milliseconds(1)),
      .step(StepRecord(start: .milliseconds(1), end: .milliseconds(90), prefillRows: 0, decodeRows: 2)),
      .finished(Self.id(7), slot: 0, .length, at: .milliseconds(90)),
    ]
    for event in warmUp + Self.events { log.record(event) }
    #expect(log.events(from: Self.id(0)) == Self.events)
    #expect(log.events(from: Self.id(9)).isEmpty)
  }

  @Test func onlyPureStepsCountForRates() {
    #expect(near(figures.prefillTokensPerSecond, 4 / 0.040))
    // The last step decodes too, but is not full.
    #expect(near(figures.decodeTokensPerSecond, 2 / 0.020))
  }

  @Test func decodeReadsWeightsOnceAndEveryRowsVisibleHistory() {
    // Positions 6 and 3 in the layer that sees all, 4 and 3 in the layer with a window.
    #expect(near(figures.decodeBytesPerSecond, Double(1000 + 10 * (6 + 3 + 4 + 3)) / 0.020))
    #expect(figures.bandwidthShare == nil)
    var measured = figures
    measured.memoryBandwidth = 116_000
    #expect(near(measured.bandwidthShare, 0.5))
  }

  @Test func timesRunFromSubmission() {
    #expect(near(figures.seconds, 0.110))
    #expect(figures.promptTokens == 6 && figures.generatedTokens == 6)
    #expect(near(figures.tokensPerSecond, 6 / 0.110))
    #expect(near(figures.meanLatency, 0.105))
    #expect(near(figures.meanTimeToFirstToken, 0.065))
    #expect(near(figures.interTokenLatencyP50, 0.020))
    #expect(near(figures.interTokenLatencyP99, 0.030))
  }

  @Test func nothingMeasuredIsNoNumber() {
    let empty = RunFigures([], batchSize: 1, traffic: Self.traffic, slotUtilization: 0)
    #expect(empty.prefillTokensPerSecond == nil && empty.decodeTokensPerSecond == nil)
    #expect(empty.meanLatency == nil && empty.interTokenLatencyP50 == nil)
    #expect(empty.tokensPerSecond == 0)
  }

  @Test func intervalsCountFromTheFirstSubmission() {
    let intervals = SlotInterval.all(in: Self.events)
    #expect(intervals.map(\.request) == [1, 2])
    #expect(intervals.map(\.slot) == [0, 1])
    #expect(near(intervals[0].admitted, 0.010) && near(intervals[0].firstToken, 0.050))
    #expect(near(intervals[0].finished, 0.100) && near(intervals[1].finished, 0.110))
  }
}
