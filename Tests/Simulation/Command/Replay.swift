import Simulator

/// One history, in this process.
enum Replay {
  /// The exit code: 0 if all held.
  static func run(_ history: History, traces: Bool) -> Int32 {
    print(history)
    var simulation = Simulation(history)
    if traces { simulation.trace = { print($0) } }
    let violation = simulation.run()
    print(violation.map { "violation: \($0)" } ?? "holds")
    if violation == nil { print(simulation.coverage) }
    return violation == nil ? 0 : 1
  }

  /// The history of a seed, which fails and does not crash, made as small as it goes.
  static func shrink(seed: UInt64) -> Int32 {
    let small = Shrinker.shrink(HistoryGenerator.history(seed: seed)) { Simulation.violation(in: $0) != nil }
    print(failure(of: small, message: Simulation.violation(in: small).map { "violation: \($0)" } ?? "holds"))
    return 0
  }

  static func failure(of history: History, message: String) -> String {
    """
    shrunk to \(history.arrivals.count) arrivals: \(message)
    replay with: apus-simulate --replay '\(history)'
    """
  }
}
