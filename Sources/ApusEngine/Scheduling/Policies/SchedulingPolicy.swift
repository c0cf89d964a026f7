/// Which waiting request gets the next free slot.
///
/// A value that the scheduler owns. It sees lengths and names, never tokens, and decides nothing but the order of
/// admission: what a request answers does not depend on it.
public protocol SchedulingPolicy: Sendable {
  /// As on the command line.
  var name: String { get }

  /// The lowest score goes first; of equal ones the request that came first.
  func score(of request: WaitingRequest, beside running: RunningSummary) -> Double

  /// The starvation bound: requests that came later and may be admitted before an earlier one, at most. Once the
  /// first of the queue has seen so many, it goes next, whatever its score. Nil: the policy bounds waiting in another
  /// way, and says how.
  var overtakenMax: Int? { get }

  /// A request came, and waits.
  mutating func submitted(by tenant: String)

  /// A waiting request of the tenant got a slot; it lost the slot to another, and waits again.
  mutating func admitted(_ tenant: String)
  mutating func preempted(_ tenant: String)

  /// The model ran rows for a tenant: of prompts, and for tokens generated.
  mutating func served(_ tenant: String, promptTokens: Int, generatedTokens: Int)

  /// A request of the tenant ended.
  mutating func ended(of tenant: String, wasWaiting: Bool)
}

extension SchedulingPolicy {
  public mutating func submitted(by tenant: String) {}
  public mutating func admitted(_ tenant: String) {}
  public mutating func preempted(_ tenant: String) {}
  public mutating func served(_ tenant: String, promptTokens: Int, generatedTokens: Int) {}
  public mutating func ended(of tenant: String, wasWaiting: Bool) {}
}

/// What a policy knows of a waiting request.
public struct WaitingRequest: Sendable, Equatable {
  /// Lower goes first, as in vLLM.
  public var priority: Int
  public var tenant: String
  /// Tokens known: the prompt, and what was generated before a preemption.
  public var length: Int
  /// Rows that the request takes if it runs to its limit: tokens to prefill and tokens to generate.
  public var remaining: Int

  public init(priority: Int, tenant: String, length: Int, remaining: Int) {
    self.priority = priority
    self.tenant = tenant
    self.length = length
    self.remaining = remaining
  }
}

/// What a policy knows of the requests that hold slots.
public struct RunningSummary: Sendable, Equatable {
  public var count: Int
  /// Tokens of all of them.
  public var totalLength: Int

  public init(count: Int, totalLength: Int) {
    self.count = count
    self.totalLength = totalLength
  }
}
