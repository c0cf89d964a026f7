/// The tenant that was served least first, first in, first out within one: the virtual token counter of Sheng et al.,
/// "Fairness in serving large language models", 2024.
///
/// A counter for each tenant grows by `promptWeight` a prompt token and `generatedWeight` a generated one. A tenant
/// of which nobody waited and then somebody does is lifted to the least counter of those that wait, so that asking for
/// less than its share saves up nothing. While two tenants both have requests waiting, their counters differ by
/// `2 * max(promptWeight * P, generatedWeight * G)` at most, where `P` is the longest prompt and `G` the most tokens
/// that may be generated for the requests in all slots: so none starves, however many requests another sends.
public struct FairSharePolicy: SchedulingPolicy {
  public static let promptWeight = 1.0
  public static let generatedWeight = 2.0

  private struct Account: Sendable {
    var counter: Double
    var waitingCount = 0
    var runningCount = 0
  }

  private var accounts: [String: Account] = [:]
  /// The least counter of those that waited when the last of them waited no more.
  private var lastLevel = 0.0

  public var name: String { "fair" }
  public var overtakenMax: Int? { nil }

  public init() {}

  /// What `tenant` was served, weighted, while it is known.
  public func counter(of tenant: String) -> Double? { accounts[tenant]?.counter }

  public func score(of request: WaitingRequest, beside running: RunningSummary) -> Double {
    accounts[request.tenant]?.counter ?? 0
  }

  public mutating func submitted(by tenant: String) { wait(tenant) }

  public mutating func admitted(_ tenant: String) {
    stopWaiting(tenant)
    accounts[tenant]!.runningCount += 1
  }

  public mutating func preempted(_ tenant: String) {
    accounts[tenant]!.runningCount -= 1
    wait(tenant)
  }

  public mutating func served(_ tenant: String, promptTokens: Int, generatedTokens: Int) {
    accounts[tenant]?.counter +=
      Self.promptWeight * Double(promptTokens) + Self.generatedWeight * Double(generatedTokens)
  }

  /// A tenant without requests is forgotten once the level has passed its counter: it would be lifted there anyway.
  /// With nobody there all are.
  public mutating func ended(of tenant: String, wasWaiting: Bool) {
    if wasWaiting { stopWaiting(tenant) } else { accounts[tenant]!.runningCount -= 1 }
    let level = level
    accounts = accounts.filter { _, account in
      account.waitingCount + account.runningCount > 0 || account.counter > level
    }
    if accounts.values.allSatisfy({ $0.waitingCount + $0.runningCount == 0 }) {
      accounts.removeAll()
      lastLevel = 0
    }
  }

  /// What a tenant that comes to wait is lifted to. While anybody is there it never falls: the least counter is
  /// served first, and no lower one joins.
  private var level: Double {
    accounts.values.lazy.filter { $0.waitingCount > 0 }.map(\.counter).min() ?? lastLevel
  }

  private mutating func wait(_ tenant: String) {
    let level = level
    var account = accounts[tenant] ?? Account(counter: level)
    if account.waitingCount == 0 { account.counter = max(account.counter, level) }
    account.waitingCount += 1
    accounts[tenant] = account
  }

  private mutating func stopWaiting(_ tenant: String) {
    lastLevel = level
    accounts[tenant]!.waitingCount -= 1
  }
}
