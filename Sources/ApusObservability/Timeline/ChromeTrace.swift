public import ApusEngine

/// A run as chrome://tracing and Perfetto show it: Google's Trace Event Format, JSON object form.
///
/// Three processes: the requests, a thread each, with the parts of their timelines; the slots, a thread each, with
/// who held them; and the engine, with its steps and counters of rows. Times are microseconds on the engine's clock.
public struct ChromeTrace: Sendable {
  private static let requests = 1
  private static let slots = 2
  private static let engine = 3

  private var writer = JSONLineWriter()
  private var stays: [RequestID: (slot: Int, since: Duration)] = [:]
  private var slotCount = 0
  private var latest = Duration.zero

  /// The file's text.
  public static func json(_ events: [EngineEvent]) -> String {
    var trace = ChromeTrace()
    trace.writer.beginObject()
    trace.writer.member("displayTimeUnit", "ms")
    trace.writer.key("traceEvents")
    trace.writer.beginArray()
    trace.write(TimelineBuilder(events).timelines)
    for event in events { trace.write(event) }
    for id in trace.stays.keys.sorted() { trace.endStay(of: id, at: trace.latest) }
    trace.writeNames()
    trace.writer.endArray()
    trace.writer.endObject()
    trace.writer.endLine()
    return String(decoding: trace.writer.bytes, as: UTF8.self)
  }

  private mutating func write(_ timelines: [RequestTimeline]) {
    for timeline in timelines {
      let thread = Int(timeline.request.rawValue) + 1
      let title =
        "\(timeline.request): \(timeline.promptTokenCount) + \(timeline.generatedTokenCount) tokens"
      writeName("thread_name", process: Self.requests, thread: thread, title)
      for part in timeline.parts {
        span(
          part.phase.title, process: Self.requests, thread: thread, from: part.start, to: part.end
        ) { writer in
          writer.member("stalled", part.phase.isStall)
          writer.member("by", ids: part.by)
        }
      }
    }
  }

  private mutating func write(_ event: EngineEvent) {
    switch event {
    case .submitted(_, let time): latest = max(latest, time)
    case .reused, .token: break
    case .admitted(let id, let slot, let time):
      stays[id] = (slot, time)
      slotCount = max(slotCount, slot + 1)
    case .preempted(let id, _, let other, let time):
      endStay(of: id, at: time)
      instant("preempted by \(other)", process: Self.requests, thread: Int(id.rawValue) + 1, at: time)
    case .finished(let id, _, let reason, let time):
      endStay(of: id, at: time)
      latest = max(latest, time)
      instant(
        "finished: \(RecordedFinish.name(of: reason))", process: Self.requests,
        thread: Int(id.rawValue) + 1, at: time)
    case .step(let step): write(step)
    }
  }

  private mutating func write(_ step: StepRecord) {
    latest = max(latest, step.end)
    span("step", process: Self.engine, thread: 1, from: step.start, to: step.end) { writer in
      writer.member("prompt_rows", step.prefillRows)
      writer.member("decode_rows", step.decodeRows)
      writer.member("draft_rows", step.draftRows)
      writer.member("requests", ids: step.runs.map(\.request))
      writer.member("waiting_for_pages", ids: step.waitingForPages)
    }
    begin("rows", "C", process: Self.engine, thread: 1, at: step.start)
    writer.key("args")
    writer.beginObject()
    writer.member("prompt", step.prefillRows)
    writer.member("decode", step.decodeRows)
    writer.member("draft", step.draftRows)
    writer.endObject()
    writer.endObject()
  }

  private mutating func endStay(of id: RequestID, at time: Duration) {
    guard let stay = stays.removeValue(forKey: id) else { return }
    span("\(id)", process: Self.slots, thread: stay.slot + 1, from: stay.since, to: time) { _ in }
  }

  private mutating func writeNames() {
    writeName("process_name", process: Self.requests, thread: 0, "requests")
    writeName("process_name", process: Self.slots, thread: 0, "slots")
    writeName("process_name", process: Self.engine, thread: 0, "engine")
    writeName("thread_name", process: Self.engine, thread: 1, "steps")
    for slot in 0..<slotCount {
      writeName("thread_name", process: Self.slots, thread: slot + 1, "slot \(slot)")
    }
  }

  private mutating func begin(
    _ name: String, _ kind: String, process: Int, thread: Int, at time: Duration
  ) {
    writer.beginObject()
    writer.member("name", name)
    writer.member("ph", kind)
    writer.member("pid", process)
    writer.member("tid", thread)
    writer.key("ts")
    writer.raw(microseconds(time))
  }

  private mutating func span(
    _ name: String, process: Int, thread: Int, from start: Duration, to end: Duration,
    arguments: (inout JSONLineWriter) -> Void
  ) {
    begin(name, "X", process: process, thread: thread, at: start)
    writer.key("dur")
    writer.raw(microseconds(max(.zero, end - start)))
    writer.key("args")
    writer.beginObject()
    arguments(&writer)
    writer.endObject()
    writer.endObject()
  }

  private mutating func instant(_ name: String, process: Int, thread: Int, at time: Duration) {
    begin(name, "i", process: process, thread: thread, at: time)
    writer.member("s", "t")
    writer.endObject()
  }

  private mutating func writeName(_ kind: String, process: Int, thread: Int, _ name: String) {
    begin(kind, "M", process: process, thread: thread, at: .zero)
    writer.key("args")
    writer.beginObject()
    writer.member("name", name)
    writer.endObject()
    writer.endObject()
  }

  /// Exactly, to the nanosecond.
  private func microseconds(_ time: Duration) -> String {
    let nanoseconds = time.wholeNanoseconds
    let fraction = String(1000 + abs(nanoseconds) % 1000).dropFirst()
    return "\(nanoseconds < 0 ? "-" : "")\(abs(nanoseconds) / 1000).\(fraction)"
  }
}

extension RequestTimeline.Phase {
  /// As drawings and traces call it.
  var title: String {
    switch self {
    case .queued: "queued"
    case .waitingForPages: "waiting for pages"
    case .prefill: "prefill"
    case .decode: "decode"
    case .behindPrompts: "behind prompts of others"
    case .preempted: "preempted"
    case .recomputing: "recomputing"
    }
  }
}
