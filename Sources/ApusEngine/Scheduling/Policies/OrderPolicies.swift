/// First in, first out. Nobody is overtaken.
public struct FIFOPolicy: SchedulingPolicy {
  public var name: String { "fifo" }
  public var overtakenMax: Int? { 0 }

  public init() {}

  public func score(of request: WaitingRequest, beside running: RunningSummary) -> Double { 0 }
}

/// Lower `priority` first, first in, first out within one. A request is overtaken `patience` times at most.
public struct PriorityPolicy: SchedulingPolicy {
  public let patience: Int
  public var name: String { "priority" }
  public var overtakenMax: Int? { patience }

  public init(patience: Int = 128) {
    precondition(patience >= 0, "a patience of \(patience)")
    self.patience = patience
  }

  public func score(of request: WaitingRequest, beside running: RunningSummary) -> Double {
    Double(request.priority)
  }
}

/// The request with the fewest rows left first, were it to run to its limit: the least mean latency, as far as limits
/// tell lengths. Ageing keeps long ones from starving: a request is overtaken `patience` times at most.
public struct ShortestRemainingPolicy: SchedulingPolicy {
  public let patience: Int
  public var name: String { "shortest" }
  public var overtakenMax: Int? { patience }

  public init(patience: Int = 128) {
    precondition(patience >= 0, "a patience of \(patience)")
    self.patience = patience
  }

  public func score(of request: WaitingRequest, beside running: RunningSummary) -> Double {
    Double(request.remaining)
  }
}

/// The request whose length is nearest to the mean of those that run first, so that sequences of a batch have like
/// contexts; in the order of arrival while none runs. A request is overtaken `patience` times at most.
public struct LengthBalancePolicy: SchedulingPolicy {
  public let patience: Int
  public var name: String { "balance" }
  public var overtakenMax: Int? { patience }

  public init(patience: Int = 128) {
    precondition(patience >= 0, "a patience of \(patience)")
    self.patience = patience
  }

  public func score(of request: WaitingRequest, beside running: RunningSummary) -> Double {
    guard running.count > 0 else { return 0 }
    return abs(Double(request.length) - Double(running.totalLength) / Double(running.count))
  }
}
