import ArgumentParser

/// What a request must keep to count as good: "ttft:200" is a first token within 200 ms.
struct GoodputObjective: ExpressibleByArgument, Sendable, Equatable {
  enum Measure: String, Sendable {
    case ttft, tpot, e2el
  }

  var measure: Measure
  var milliseconds: Double

  init(_ measure: Measure, milliseconds: Double) {
    self.measure = measure
    self.milliseconds = milliseconds
  }

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let measure = Measure(rawValue: String(parts[0])), let value = Double(parts[1]),
      value.isFinite, value >= 0
    else { return nil }
    self.init(measure, milliseconds: value)
  }

  func isMet(by outcome: RequestOutcome) -> Bool {
    let seconds =
      switch measure {
      case .ttft: outcome.timeToFirstToken
      case .tpot: outcome.timePerOutputToken ?? 0
      case .e2el: outcome.latency
      }
    return seconds * 1000 <= milliseconds
  }
}
