/// The tenant that was served least first, first in, first out within one: the virtual token counter of Sheng et al.,
/// "Fairness in serving large language models", 2024.
///
/// A counter for each tenant grows by `promptWeight` a prompt token and `generatedWeight` a generated one. A tenant
/// that comes back is lifted to the least counter of those that are there, so that absence saves up nothing. While two
/// tenants both have requests waiting, their counters differ by `2 * max(promptWeight * P, generatedWeight * G)` at
/// most, where `P` is the longest prompt and `G` the most tokens that may be generated for the requests in all slots:
/// so none starves, however many requests another sends.
public struct FairSharePolicy: SchedulingPolicy {
  public static let promptWeight = 1.0
  public static let generatedWeight = 2.0

  private struct Account: Sendable {
    var counter: Double
    /// Requests that wait or run.
    var requestCount: Int
  }

  private var accounts: [String: Account] = [:]

  public var name: String { "fair" }
  public var overtakenMax: Int? { nil }

  public init() {}

  /// What `tenant` was served, weighted, while it is known.
  public func counter(of tenant: String) -> Double? { accounts[tenant]?.counter }

  public func score(of request: WaitingRequest, beside running: RunningSummary) -> Double {
    accounts[request.tenant]?.counter ?? 0
  }

  public mutating func submitted(by tenant: String) {
    if accounts[tenant]?.requestCount ?? 0 == 0 {
      let least = accounts.values.lazy.filter { $0.requestCount > 0 }.map(\.counter).min() ?? 0
      accounts[tenant, default: Account(counter: least, requestCount: 0)].counter =
        max(accounts[tenant]?.counter ?? least, least)
    }
    accounts[tenant]!.requestCount += 1
  }

  public mutating func served(_ tenant: String, promptTokens: Int, generatedTokens: Int) {
    accounts[tenant]?.counter +=
      Self.promptWeight * Double(promptTokens) + Self.generatedWeight * Double(generatedTokens)
  }

  /// A tenant without requests is forgotten once the least counter of those that are there has passed it: it would be
  /// lifted there anyway. With nobody there all are.
  public mutating func ended(of tenant: String) {
    accounts[tenant]?.requestCount -= 1
    guard accounts[tenant]?.requestCount == 0 else { return }
    guard let least = accounts.values.lazy.filter({ $0.requestCount > 0 }).map(\.counter).min() else {
      accounts.removeAll()
      return
    }
    for (name, account) in accounts where account.requestCount == 0 && account.counter <= least {
      accounts[name] = nil
    }
  }
}
