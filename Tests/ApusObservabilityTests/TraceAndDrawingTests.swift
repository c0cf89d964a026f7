import ApusEngine
import ApusObservability
import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct TraceAndDrawingTests {
  private func events(seed: UInt64) async throws -> [EngineEvent] {
    let log = EventLog()
    let run = try ObservedRun(seed: seed, observer: log.record)
    try await run.runToEnd()
    return log.events
  }

  /// What chrome://tracing and Perfetto ask of each kind of event.
  private func fault(in event: [String: Any]) -> String? {
    guard let kind = event["ph"] as? String, event["name"] is String else { return "no ph or name" }
    guard event["pid"] is Int, event["tid"] is Int else { return "no pid or tid" }
    guard let time = event["ts"] as? Double, time >= 0 else { return "no ts" }
    switch kind {
    case "X": return (event["dur"] as? Double).map { $0 >= 0 } == true ? nil : "no dur"
    case "C":
      let values = (event["args"] as? [String: Any])?.values
      return values?.isEmpty == false && values!.allSatisfy { $0 is Double }
        ? nil : "a counter without numbers"
    case "i": return ["g", "p", "t"].contains(event["s"] as? String) ? nil : "no scope"
    case "M":
      let names = ["process_name", "thread_name"]
      guard names.contains(event["name"] as? String ?? "") else { return "metadata of no known name" }
      return (event["args"] as? [String: Any])?["name"] is String ? nil : "a name without one"
    default: return "kind \(kind)"
    }
  }

  @Test(arguments: 0..<16)
  func theTraceIsInTheTraceEventFormatAndSpansOfAThreadDoNotOverlap(seed: UInt64) async throws {
    let events = try await events(seed: seed)
    let object = try JSONSerialization.jsonObject(with: Data(ChromeTrace.json(events).utf8)) as? [String: Any]
    #expect(object?["displayTimeUnit"] as? String == "ms")
    let trace = try #require(object?["traceEvents"] as? [[String: Any]])
    #expect(trace.compactMap { fault(in: $0) } == [])
    var spans: [[Int]: [(start: Double, end: Double)]] = [:]
    for event in trace where event["ph"] as? String == "X" {
      let start = try #require(event["ts"] as? Double)
      let thread = [try #require(event["pid"] as? Int), try #require(event["tid"] as? Int)]
      spans[thread, default: []].append((start, start + (event["dur"] as? Double ?? -1)))
    }
    for (thread, spans) in spans {
      let sorted = spans.sorted { $0.start < $1.start }
      for (one, next) in zip(sorted, sorted.dropFirst()) {
        // Sums of decimals that are exact as text.
        #expect(one.end <= next.start + 1e-6, "\(thread)")
      }
    }
    // Each stay in a slot is there, those that a preemption ended too.
    let admissions = events.count { if case .admitted = $0 { true } else { false } }
    #expect(trace.count { $0["ph"] as? String == "X" && $0["pid"] as? Int == 2 } == admissions)
    let names = trace.filter { $0["name"] as? String == "thread_name" && $0["pid"] as? Int == 1 }
    #expect(names.count == TimelineBuilder(events).timelines.count)
  }

  @Test func aRunThatHasNotEndedHasATraceToo() async throws {
    let events = try await events(seed: 3)
    for count in [0, 1, events.count / 3, events.count / 2] {
      let text = ChromeTrace.json(Array(events.prefix(count)))
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
      #expect(XMLParser(data: Data(drawing(Array(events.prefix(count))).utf8)).parse())
    }
  }

  private func drawing(_ events: [EngineEvent]) -> String {
    TimelineDrawing(TimelineBuilder(events).timelines).svg()
  }

  @Test func theDrawingHasALaneForEachRequestAndStaysSmallHoweverLongTheRun() throws {
    var events: [EngineEvent] = []
    let id = RequestID(rawValue: 4)
    events.append(.submitted(RequestArrival(id: id, promptTokens: [1]), at: .zero))
    let other = RequestID(rawValue: 5)
    events.append(.submitted(RequestArrival(id: other, promptTokens: [1]), at: .zero))
    events += [.admitted(id, slot: 0, at: .zero), .admitted(other, slot: 1, at: .zero)]
    for step in 0..<20_000 {
      // Every second step has prompt rows of the other.
      var runs = [StepRecord.Run(request: id, slot: 0, position: step, rowCount: 1, isPrefill: false)]
      if step % 2 == 0 {
        runs.append(StepRecord.Run(request: other, slot: 1, position: step, rowCount: 64, isPrefill: true))
      }
      events.append(
        .step(
          StepRecord(
            start: .milliseconds(step), end: .milliseconds(step + 1), prefillRows: 64, decodeRows: 1,
            runs: runs)))
    }
    #expect(TimelineBuilder(events).timelines[0].parts.count > 10_000)
    let text = drawing(events)
    #expect(text.contains(">request 4<") && text.contains(">request 5<"))
    #expect(text.utf8.count < 400_000)
    #expect(XMLParser(data: Data(text.utf8)).parse())
  }

  @Test func moreRequestsThanFitAreSaidToBe() {
    let events = (0..<100).map { index in
      EngineEvent.submitted(
        RequestArrival(id: RequestID(rawValue: UInt64(index)), promptTokens: [1]), at: .milliseconds(index))
    }
    let text = drawing(events)
    #expect(text.contains("the first 64 of 100"))
    #expect(text.contains(">request 63<") && !text.contains(">request 64<"))
    #expect(text.contains("prefers-color-scheme: dark"))
  }
}
