import AsyncAlgorithms
import ApusEngine
import HTTPTypes
import Hummingbird
import NIOCore

/// Server-sent events (WHATWG HTML, section 9.2) as OpenAI's interface uses them: one JSON value an event, no
/// names.
enum EventStream {
  static func event(_ json: JSONText) -> ByteBuffer { ByteBuffer(string: "data: \(json.text)\n\n") }

  static let end = ByteBuffer(string: "data: [DONE]\n\n")
  /// A comment, which readers skip.
  static let keepAlive = ByteBuffer(string: ": keep-alive\n\n")

  /// The engine's number of each choice's request.
  static let requestIDs = HTTPField.Name("Apus-Request-Ids")!

  static let headers: HTTPFields = [
    .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
    // Reverse proxies would hold events back to fill a buffer.
    HTTPField.Name("X-Accel-Buffering")!: "no",
  ]
}

/// What a stream says of its choices.
protocol ChunkEncoder: Sendable {
  /// Chunks before anything was generated.
  mutating func opening() -> [JSONText]
  mutating func chunks(_ delta: ChoiceDelta, of choice: Choice) -> [JSONText]
  /// The chunk of usage.
  func usage(_ usage: UsageSum) -> JSONText
}

extension Response {
  /// A stream of what `choices` give. The choices end when the client goes. A header names the engine's
  /// requests, as `/slots` does.
  init(
    streaming choices: [Choice], encoder: some ChunkEncoder, includesUsage: Bool,
    connection: ClientConnection,
    keepAliveInterval: Duration
  ) {
    var headers = EventStream.headers
    headers[EventStream.requestIDs] = choices.map { "\($0.stream.id.rawValue)" }.joined(separator: ", ")
    self.init(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        let events = ChoiceEvents(choices, tick: keepAliveInterval)
        let observer = connection.onClose { events.cancel() }
        defer {
          connection.removeObserver(observer)
          events.cancel()
        }
        var encoder = encoder
        var usage = UsageSum()
        var openCount = choices.count
        var isQuiet = false
        for chunk in encoder.opening() { try await writer.write(EventStream.event(chunk)) }
        events: for await event in events.channel {
          switch event {
          case .tick:
            if isQuiet { try await writer.write(EventStream.keepAlive) }
            isQuiet = true
          case .delta(let delta, let choice):
            isQuiet = false
            if let reason = delta.finish, let error = APIError(reason) {
              try await writer.write(EventStream.event(error.json))
              break events
            }
            for chunk in encoder.chunks(delta, of: choice) {
              try await writer.write(EventStream.event(chunk))
            }
            guard delta.finish != nil else { continue }
            openCount -= 1
            if let taken = delta.usage { usage.add(taken, isFirst: choice.isFirst) }
          }
        }
        if openCount == 0, includesUsage { try await writer.write(EventStream.event(encoder.usage(usage))) }
        try await writer.write(EventStream.end)
        try await writer.finish(nil)
      })
  }
}

extension [Choice] {
  /// All that the choices give, in their order. They end when the client goes.
  /// - Throws: `APIError` of the first that did not end by itself.
  func collect(for connection: ClientConnection) async throws(APIError) -> (deltas: [ChoiceDelta], UsageSum) {
    let choices = self
    let deltas = await connection.whileOpen {
      await withTaskGroup(of: (Int, ChoiceDelta).self) { group in
        for choice in choices { group.addTask { (choice.index, await choice.collect()) } }
        var deltas = Array<ChoiceDelta>(repeating: ChoiceDelta(), count: choices.count)
        for await (index, delta) in group { deltas[index] = delta }
        return deltas
      }
    }
    var usage = UsageSum()
    for (choice, delta) in zip(choices, deltas) {
      if let reason = delta.finish, let error = APIError(reason) { throw error }
      if let taken = delta.usage { usage.add(taken, isFirst: choice.isFirst) }
    }
    return (deltas, usage)
  }
}
