public import ApusEngine

/// What serving a trace came to. Times in seconds.
public struct LoadFigures: Sendable, Equatable, Codable {
  /// From the first arrival to the last end.
  public var seconds = 0.0
  public var promptTokens = 0
  public var outputTokens = 0
  /// Of every request, in the order of arrival.
  public var queueTimes: [Double] = []
  public var timesToFirstToken: [Double] = []
  public var latencies: [Double] = []
  /// Between consecutive tokens of a request, over all requests.
  public var interTokenTimes: [Double] = []
  public var preemptions = 0
  public var reusedTokens = 0

  public var outputTokensPerSecond: Double { seconds > 0 ? Double(outputTokens) / seconds : 0 }
  /// Prompts and outputs.
  public var totalTokensPerSecond: Double {
    seconds > 0 ? Double(promptTokens + outputTokens) / seconds : 0
  }

  private struct Times {
    var submitted: Duration
    var admitted: Duration?
    var firstToken: Duration?
    var lastToken: Duration?
    var finished: Duration?
  }

  /// - Parameter events: of an engine that served this trace alone.
  public init(_ events: [EngineEvent]) {
    var requests: [RequestID: Times] = [:]
    var order: [RequestID] = []
    for event in events {
      switch event {
      case .submitted(let arrival, let time):
        order.append(arrival.id)
        requests[arrival.id] = Times(submitted: time)
        promptTokens += arrival.promptTokens.count
      case .admitted(let id, _, let time):
        if requests[id]?.admitted == nil { requests[id]?.admitted = time }
      case .reused(_, let positions, _): reusedTokens += positions
      case .preempted: preemptions += 1
      case .step: break
      case .token(let id, _, _, let time):
        outputTokens += 1
        if let last = requests[id]?.lastToken { interTokenTimes.append((time - last).inSeconds) }
        if requests[id]?.firstToken == nil { requests[id]?.firstToken = time }
        requests[id]?.lastToken = time
      case .finished(let id, _, _, let time): requests[id]?.finished = time
      }
    }
    let times = order.compactMap { requests[$0] }
    if let begin = times.map(\.submitted).min(), let end = times.compactMap(\.finished).max() {
      seconds = (end - begin).inSeconds
    }
    func since(_ time: (Times) -> Duration?) -> [Double] {
      times.compactMap { request in time(request).map { ($0 - request.submitted).inSeconds } }
    }
    queueTimes = since(\.admitted)
    timesToFirstToken = since(\.firstToken)
    latencies = since(\.finished)
  }
}
