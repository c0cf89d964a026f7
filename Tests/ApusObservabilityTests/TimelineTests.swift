import ApusEngine
import ApusObservability
import TestSupport
import Testing

struct TimelineTests {
  private func id(_ value: UInt64) -> RequestID { RequestID(rawValue: value) }

  private func milliseconds(_ part: RequestTimeline.Part) -> [Double] {
    [part.start, part.end].map { ($0 / .milliseconds(1)) }
  }

  @Test(arguments: 0..<40)
  func thePartsOfEveryRequestSumToItsEndToEndTimeExactly(seed: UInt64) async throws {
    let log = EventLog()
    let run = try ObservedRun(seed: seed, observer: log.record)
    try await run.runToEnd()
    let timelines = TimelineBuilder(log.events).timelines
    #expect(timelines.count == run.streams.count)
    for timeline in timelines {
      let usage = try #require(run.results[timeline.request]).usage
      #expect(timeline.submitted == usage.timing.queued && timeline.finished == usage.timing.finished)
      #expect(timeline.total == usage.timing.latency)
      #expect(timeline.parts.reduce(.zero) { $0 + $1.duration } == timeline.total)
      #expect(
        RequestTimeline.Phase.allCases.reduce(.zero) { $0 + timeline.duration(of: $1) } == timeline.total)
      var end = timeline.submitted
      for part in timeline.parts {
        #expect(part.start == end && part.end > part.start, "\(timeline.request)")
        #expect(!part.by.contains(timeline.request))
        end = part.end
      }
      #expect(timeline.generatedTokenCount == usage.completionTokenCount)
      // Who never lost its pages never paid for it.
      let lost = timeline.duration(of: .preempted) + timeline.duration(of: .recomputing)
      #expect((lost > .zero) == (usage.preemptionCount > 0), "\(timeline.request)")
      if usage.timing.admitted == nil { #expect(timeline.duration(of: .decode) == .zero) }
    }
  }

  @Test func randomRunsMeetEveryPhase() async throws {
    var met: Set<RequestTimeline.Phase> = []
    for seed in 0..<40 as Range<UInt64> {
      let log = EventLog()
      let run = try ObservedRun(seed: seed, observer: log.record)
      try await run.runToEnd()
      for timeline in TimelineBuilder(log.events).timelines { met.formUnion(timeline.parts.map(\.phase)) }
    }
    #expect(met == Set(RequestTimeline.Phase.allCases))
  }

  /// A request decodes; another, of as many prompt rows as fit, joins; a third waits for the one slot.
  @Test func tellsWhoHeldWhomUp() throws {
    func run(_ request: UInt64, _ position: Int, _ rows: Int, isPrefill: Bool) -> StepRecord.Run {
      .init(
        request: id(request), slot: Int(request), position: position, rowCount: rows, isPrefill: isPrefill)
    }
    let events: [EngineEvent] = [
      .submitted(RequestArrival(id: id(0), promptTokens: [1, 2]), at: .milliseconds(0)),
      .admitted(id(0), slot: 0, at: .milliseconds(10)),
      .step(
        StepRecord(
          start: .milliseconds(10), end: .milliseconds(30), prefillRows: 2, decodeRows: 0,
          runs: [run(0, 0, 2, isPrefill: true)])),
      .token(id(0), slot: 0, GeneratedToken(id: 5, position: 2), at: .milliseconds(30)),
      .submitted(
        RequestArrival(id: id(1), promptTokens: Array(repeating: 1, count: 100)), at: .milliseconds(25)),
      .submitted(RequestArrival(id: id(2), promptTokens: [1]), at: .milliseconds(26)),
      .admitted(id(1), slot: 1, at: .milliseconds(30)),
      .step(
        StepRecord(
          start: .milliseconds(30), end: .milliseconds(130), prefillRows: 100, decodeRows: 1,
          runs: [run(0, 2, 1, isPrefill: false), run(1, 0, 100, isPrefill: true)])),
      .token(id(0), slot: 0, GeneratedToken(id: 5, position: 3), at: .milliseconds(130)),
      .token(id(1), slot: 1, GeneratedToken(id: 5, position: 100), at: .milliseconds(130)),
      .finished(id(0), slot: 0, .length, at: .milliseconds(140)),
      .step(
        StepRecord(
          start: .milliseconds(140), end: .milliseconds(150), prefillRows: 0, decodeRows: 1,
          runs: [run(1, 100, 1, isPrefill: false)], waitingForPages: [id(2)])),
    ]
    let timelines = TimelineBuilder(events).timelines
    let first = timelines[0].parts
    #expect(first.map(\.phase) == [.queued, .prefill, .decode, .behindPrompts, .decode])
    #expect(first[3].by == [id(1)])
    #expect(first[3].end == .milliseconds(130))
    // A hundred of a hundred and one rows are the other's.
    #expect(first[3].duration > .milliseconds(50))
    #expect(timelines[0].holdUps.map(\.by) == [id(1)])
    #expect(timelines[1].parts.map(\.phase) == [.queued, .prefill, .decode])
    #expect(timelines[2].parts.map(\.phase) == [.queued, .queued, .waitingForPages])
    #expect(timelines[2].parts.map(\.by) == [[id(0)], [id(0), id(1)], [id(1)]])
    #expect(timelines[2].finished == nil)
    #expect(milliseconds(timelines[2].parts[1]) == [30, 140])
  }

  @Test func preemptionIsCountedAgainstWhoTookThePages() {
    func step(_ start: Int64, _ end: Int64, _ position: Int, _ rows: Int, isPrefill: Bool) -> EngineEvent {
      .step(
        StepRecord(
          start: .milliseconds(start), end: .milliseconds(end), prefillRows: rows, decodeRows: 0,
          runs: [.init(request: id(7), slot: 0, position: position, rowCount: rows, isPrefill: isPrefill)]))
    }
    let timeline = TimelineBuilder([
      .submitted(RequestArrival(id: id(7), promptTokens: [1, 2, 3, 4, 5, 6]), at: .zero),
      .admitted(id(7), slot: 0, at: .zero), step(0, 10, 0, 4, isPrefill: true),
      .preempted(id(7), slot: 0, by: id(1), at: .milliseconds(12)),
      .admitted(id(7), slot: 0, at: .milliseconds(30)), step(30, 40, 0, 4, isPrefill: true),
      step(40, 50, 4, 2, isPrefill: true),
      .token(id(7), slot: 0, GeneratedToken(id: 1, position: 6), at: .milliseconds(51)),
      .finished(id(7), slot: 0, .length, at: .milliseconds(52)),
    ]).timelines[0]
    #expect(timeline.parts.map(\.phase) == [.prefill, .preempted, .recomputing, .prefill, .decode])
    #expect(timeline.parts.map { $0.end / .milliseconds(1) } == [12, 30, 40, 51, 52])
    #expect(timeline.parts[1].by == [id(1)] && timeline.parts[2].by == [id(1)])
    #expect(timeline.holdUps.map(\.duration) == [.milliseconds(28)])
  }
}
