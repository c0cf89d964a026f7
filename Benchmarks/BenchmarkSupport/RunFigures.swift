public import ApusEngine

/// What one run of a workload gave, from the engine's own events.
public struct RunFigures: Sendable, Equatable, Codable {
  /// From the first request's submission to the last one's end.
  public var seconds = 0.0
  public var promptTokens = 0
  /// Generated tokens, the first of each request and stop tokens included.
  public var generatedTokens = 0
  /// Rows per second of steps that only ran prompts; nil if there was none.
  public var prefillTokensPerSecond: Double?
  /// Rows per second of steps that only decoded, one row for each of the batch; nil if there was none.
  public var decodeTokensPerSecond: Double?
  /// Weights and cache read per second of the same steps.
  public var decodeBytesPerSecond: Double?
  /// Share of the slots that had rows, averaged over step time.
  public var slotUtilization = 0.0
  /// From submission to end, seconds.
  public var meanLatency: Double?
  /// From submission to the first token, seconds, time in the queue included.
  public var meanTimeToFirstToken: Double?
  /// Seconds between a request's consecutive tokens.
  public var interTokenLatencyP50: Double?
  public var interTokenLatencyP99: Double?
  /// Memory bandwidth measured around this run, bytes per second.
  public var memoryBandwidth: Double?

  /// Generated tokens per second, prefill and all.
  public var tokensPerSecond: Double { seconds > 0 ? Double(generatedTokens) / seconds : 0 }

  /// Share of the measured bandwidth that decoding used.
  public var bandwidthShare: Double? {
    guard let decodeBytesPerSecond, let memoryBandwidth, memoryBandwidth > 0 else { return nil }
    return decodeBytesPerSecond / memoryBandwidth
  }

  public init() {}

  /// - Parameters:
  ///   - events: all of an engine that ran this workload alone.
  ///   - batchSize: rows of a full decode step.
  ///   - traffic: what a decode step reads.
  public init(_ events: [EngineEvent], batchSize: Int, traffic: DecodeTraffic, slotUtilization: Double) {
    self.slotUtilization = slotUtilization
    var prefill = StepTotal()
    var decode = StepTotal()
    var isFullDecode = false
    var requests: [RequestID: RequestTimes] = [:]
    var latencies: [Double] = []
    for event in events {
      switch event {
      case .submitted(let arrival, let time):
        promptTokens += arrival.promptTokens.count
        requests[arrival.id] = RequestTimes(submitted: time)
      case .admitted, .reused, .preempted: break
      case .step(let step):
        let time = step.end - step.start
        isFullDecode = step.prefillRows == 0 && step.decodeRows == batchSize
        if isFullDecode { decode.add(rows: batchSize, bytes: traffic.weightBytes, time: time) }
        if step.decodeRows == 0 { prefill.add(rows: step.prefillRows, bytes: 0, time: time) }
      case .token(let id, _, let token, let time):
        generatedTokens += 1
        // The token at a position was drawn from the row before it, which saw that many positions.
        if isFullDecode { decode.bytes += traffic.cacheBytes(positions: token.position) }
        guard var request = requests[id] else { break }
        if let last = request.lastToken { latencies.append((time - last).inSeconds) }
        if request.firstToken == nil { request.firstToken = time }
        request.lastToken = time
        requests[id] = request
      case .finished(let id, _, _, let time): requests[id]?.finished = time
      }
    }
    setRates(prefill: prefill, decode: decode)
    setLatencies(Array(requests.values), between: latencies)
  }

  private mutating func setRates(prefill: StepTotal, decode: StepTotal) {
    prefillTokensPerSecond = prefill.perSecond(Double(prefill.rows))
    decodeTokensPerSecond = decode.perSecond(Double(decode.rows))
    decodeBytesPerSecond = decode.perSecond(Double(decode.bytes))
  }

  private mutating func setLatencies(_ requests: [RequestTimes], between: [Double]) {
    if let begin = requests.map(\.submitted).min(), let end = requests.compactMap(\.finished).max() {
      seconds = (end - begin).inSeconds
    }
    meanLatency = requests.compactMap { $0.since($0.finished) }.mean
    meanTimeToFirstToken = requests.compactMap { $0.since($0.firstToken) }.mean
    interTokenLatencyP50 = between.quantile(0.5)
    interTokenLatencyP99 = between.quantile(0.99)
  }
}

private struct RequestTimes {
  var submitted: Duration
  var firstToken: Duration?
  var lastToken: Duration?
  var finished: Duration?

  func since(_ time: Duration?) -> Double? { time.map { ($0 - submitted).inSeconds } }
}

/// Steps of one kind taken together.
private struct StepTotal {
  var rows = 0
  var bytes = 0
  var time = Duration.zero

  mutating func add(rows: Int, bytes: Int, time: Duration) {
    self.rows += rows
    self.bytes += bytes
    self.time += time
  }

  func perSecond(_ amount: Double) -> Double? { time > .zero ? amount / time.inSeconds : nil }
}
