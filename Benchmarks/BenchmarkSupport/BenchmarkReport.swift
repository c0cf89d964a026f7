public import ApusEngine

/// Everything one start of the benchmark measured.
public struct BenchmarkReport: Sendable, Equatable, Codable {
  /// What the figures were measured on.
  public struct Machine: Sendable, Equatable, Codable {
    public var processor: String
    public var instructionSet: String
    public var threads: Int
    /// Why so many, in words.
    public var threadsReason: String

    public init(processor: String, instructionSet: String, threads: Int, threadsReason: String) {
      self.processor = processor
      self.instructionSet = instructionSet
      self.threads = threads
      self.threadsReason = threadsReason
    }
  }

  public var machine: Machine
  public var workloads: [WorkloadReport]

  public init(machine: Machine, workloads: [WorkloadReport] = []) {
    self.machine = machine
    self.workloads = workloads
  }
}

/// One workload, over all batch sizes.
public struct WorkloadReport: Sendable, Equatable, Codable {
  /// Short, without spaces: names the workload in files.
  public var name: String
  public var title: String
  /// What to know before reading the figures.
  public var notes: [String]
  public var weightType: String
  /// Type of the keys and values in the cache.
  public var kvType: String
  /// Bytes of the packed weights.
  public var weightBytes: Int
  /// Of these, bytes one decode step reads.
  public var weightBytesPerStep: Int
  public var requestCount: Int
  public var promptTokens: Int
  /// All readings around this workload's runs; nil before there is one.
  public var bandwidth: BandwidthReading?
  /// Every run gave every request the same tokens.
  public var tokensIdentical: Bool
  public var rows: [BatchReport]

  public init(
    name: String, title: String, notes: [String], weightType: String, kvType: String, weightBytes: Int,
    weightBytesPerStep: Int, requestCount: Int, promptTokens: Int, bandwidth: BandwidthReading? = nil,
    tokensIdentical: Bool = true, rows: [BatchReport] = []
  ) {
    self.name = name
    self.title = title
    self.notes = notes
    self.weightType = weightType
    self.kvType = kvType
    self.weightBytes = weightBytes
    self.weightBytesPerStep = weightBytesPerStep
    self.requestCount = requestCount
    self.promptTokens = promptTokens
    self.bandwidth = bandwidth
    self.tokensIdentical = tokensIdentical
    self.rows = rows
  }

  /// What speed-ups are against: the smallest batch size with continuous admission.
  public var baseline: BatchReport? {
    rows.filter { !$0.isStatic }.min { $0.batchSize < $1.batchSize }
  }

  /// Generated tokens per second over the baseline's.
  public func speedUp(_ row: BatchReport) -> Double? {
    guard let baseline, baseline.tokensPerSecond.median > 0 else { return nil }
    return row.tokensPerSecond.median / baseline.tokensPerSecond.median
  }

  /// Decode rate over the baseline's.
  public func decodeSpeedUp(_ row: BatchReport) -> Double? {
    guard let own = row.decodeTokensPerSecond, let base = baseline?.decodeTokensPerSecond, base.median > 0
    else {
      return nil
    }
    return own.median / base.median
  }

  /// The baseline's decode rate times as many rows: what batching can give at most while memory sets the
  /// pace.
  public func idealDecodeRate(batchSize: Int) -> Double? {
    guard let baseline, let rate = baseline.decodeTokensPerSecond?.median else { return nil }
    return rate * Double(batchSize) / Double(baseline.batchSize)
  }
}

/// One batch size of a workload: the medians of its runs.
public struct BatchReport: Sendable, Equatable, Codable {
  public var batchSize: Int
  /// Requests start together and slots of short ones idle until the longest ends.
  public var isStatic: Bool
  /// At least one.
  public var runs: [RunFigures]
  /// Who held which slot when, in the first run.
  public var timeline: [SlotInterval]

  public init(batchSize: Int, isStatic: Bool, runs: [RunFigures], timeline: [SlotInterval] = []) {
    precondition(!runs.isEmpty, "a batch size without runs")
    self.batchSize = batchSize
    self.isStatic = isStatic
    self.runs = runs
    self.timeline = timeline
  }

  public var label: String { isStatic ? "\(batchSize) static" : "\(batchSize)" }

  public var seconds: Spread { spread(\.seconds) }
  public var tokensPerSecond: Spread { spread(\.tokensPerSecond) }
  public var slotUtilization: Double { spread(\.slotUtilization).median }
  public var prefillTokensPerSecond: Spread? { spread(\.prefillTokensPerSecond) }
  public var decodeTokensPerSecond: Spread? { spread(\.decodeTokensPerSecond) }
  public var bandwidthShare: Spread? { spread(\.bandwidthShare) }
  public var meanLatency: Double? { spread(\.meanLatency)?.median }
  public var meanTimeToFirstToken: Double? { spread(\.meanTimeToFirstToken)?.median }
  public var interTokenLatencyP50: Double? { spread(\.interTokenLatencyP50)?.median }
  public var interTokenLatencyP99: Double? { spread(\.interTokenLatencyP99)?.median }

  /// The decode rate if steps read memory at all of the measured bandwidth and did nothing else.
  public var bandwidthIdealDecodeRate: Double? {
    guard let rate = decodeTokensPerSecond?.median, let share = bandwidthShare?.median, share > 0 else {
      return nil
    }
    return rate / share
  }

  private func spread(_ figure: (RunFigures) -> Double) -> Spread { Spread(runs.map(figure))! }

  private func spread(_ figure: (RunFigures) -> Double?) -> Spread? { Spread(runs.compactMap(figure)) }
}

/// One request's stay in a slot, in seconds since the first was submitted.
public struct SlotInterval: Sendable, Equatable, Codable {
  /// By order of submission, from 1.
  public var request: Int
  public var slot: Int
  public var admitted: Double
  public var firstToken: Double
  public var finished: Double

  public init(request: Int, slot: Int, admitted: Double, firstToken: Double, finished: Double) {
    self.request = request
    self.slot = slot
    self.admitted = admitted
    self.firstToken = firstToken
    self.finished = finished
  }

  /// The stays that `events` tell of, by admission. One that did not end ends with the last of them.
  public static func all(in events: [EngineEvent]) -> [SlotInterval] {
    var origin: Duration?
    var order: [RequestID: Int] = [:]
    var end = Duration.zero
    let timeline = SlotTimeline()
    for event in events {
      timeline.record(event)
      switch event {
      case .submitted(let arrival, let time):
        origin = min(origin ?? time, time)
        order[arrival.id] = order.count + 1
      case .token(_, _, _, let time), .finished(_, _, _, let time), .admitted(_, _, let time),
        .preempted(_, _, _, let time):
        end = max(end, time)
      case .reused, .step: break
      }
    }
    let start = origin ?? .zero
    return timeline.intervals.map { interval in
      let finished = interval.finished ?? end
      return SlotInterval(
        request: order[interval.request] ?? 0, slot: interval.slot,
        admitted: (interval.admitted - start).inSeconds,
        firstToken: ((interval.firstToken ?? finished) - start).inSeconds,
        finished: (finished - start).inSeconds)
    }
  }
}
