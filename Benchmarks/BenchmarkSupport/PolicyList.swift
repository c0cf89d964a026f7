public import ApusEngine

/// Policies as they are typed: fifo,shortest.
public struct PolicyList: Sendable {
  public var policies: [any SchedulingPolicy]

  public static let all: [any SchedulingPolicy] = [
    FIFOPolicy(), PriorityPolicy(), ShortestRemainingPolicy(), LengthBalancePolicy(), FairSharePolicy(),
  ]

  public init(_ policies: [any SchedulingPolicy]) { self.policies = policies }

  /// Nil where a name is not a policy's, or none is there.
  public init?(names: String) {
    let names = names.split(separator: ",", omittingEmptySubsequences: false)
    policies = names.compactMap { name in Self.all.first { $0.name == name } }
    guard policies.count == names.count else { return nil }
  }

  public var names: String { policies.map(\.name).joined(separator: ",") }
}
