import ApusEngine

/// What the policies say of themselves, worked out anew: who goes next, and how long nobody waits.
struct ReferencePolicy {
  enum Order: Int {
    case fifo, priority, shortest, balance, fair
  }

  let order: Order
  let patience: Int
  /// What tenants were served, weighted, and the least that one who comes to wait is lifted to.
  private(set) var counters: [Int: Int] = [:]
  private var level = 0

  init(_ settings: History.Settings) {
    order = Order(rawValue: settings.policy) ?? .fifo
    patience = settings.patience
  }

  /// The policy that is simulated.
  var policy: any SchedulingPolicy {
    switch order {
    case .fifo: FIFOPolicy()
    case .priority: PriorityPolicy(patience: patience)
    case .shortest: ShortestRemainingPolicy(patience: patience)
    case .balance: LengthBalancePolicy(patience: patience)
    case .fair: FairSharePolicy()
    }
  }

  /// Later requests that may get their first slots before an earlier one does.
  var overtakenMax: Int? {
    switch order {
    case .fifo: 0
    case .priority, .shortest, .balance: patience
    case .fair: nil
    }
  }

  /// Who gets the next slot; both lists in order of arrival.
  func next(of waiting: [SimulatedRequest], beside running: [SimulatedRequest]) -> RequestID? {
    if let most = overtakenMax, let first = waiting.first(where: { $0.overtaken >= most }) { return first.id }
    var best: (id: RequestID, score: Double)?
    for request in waiting {
      let score = score(of: request, beside: running)
      if score < best?.score ?? .infinity { best = (request.id, score) }
    }
    return best?.id
  }

  private func score(of request: SimulatedRequest, beside running: [SimulatedRequest]) -> Double {
    switch order {
    case .fifo: return 0
    case .priority: return Double(request.arrival.priority)
    case .shortest: return Double(request.remaining)
    case .balance:
      guard !running.isEmpty else { return 0 }
      let mean = Double(running.reduce(0) { $0 + $1.known }) / Double(running.count)
      return abs(Double(request.known) - mean)
    case .fair: return Double(counters[request.arrival.tenant] ?? 0)
    }
  }

  /// A tenant of which none waited has one that waits; `others` wait.
  mutating func comesToWait(_ tenant: Int, besides others: Set<Int>) {
    if let least = others.map({ counters[$0] ?? 0 }).min() { level = least }
    counters[tenant] = max(counters[tenant] ?? 0, level)
  }

  /// A tenant waits no more; the tenants that waited until then.
  mutating func waitsNoMore(_ tenant: Int, among waiting: Set<Int>) {
    level = waiting.map { counters[$0] ?? 0 }.min() ?? level
  }

  mutating func served(_ tenant: Int, prompt: Int, generated: Int) {
    counters[tenant, default: 0] += prompt + 2 * generated
  }

  /// Nobody is there.
  mutating func forget() {
    counters = [:]
    level = 0
  }

  /// What the counters of two tenants with requests waiting may differ by, given what was submitted.
  static func differenceMax(slots: Int, requests: [SimulatedRequest]) -> Int {
    let prompt = requests.map(\.promptCount).max() ?? 0
    let generated = requests.map(\.maxTokens).sorted(by: >).prefix(slots).reduce(0, +)
    return 2 * max(prompt, 2 * generated)
  }
}
