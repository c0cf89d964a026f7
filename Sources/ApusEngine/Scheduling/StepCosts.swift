/// What a step takes, as a function of what is in it: `fixed + perRow * rows + perPosition * positions`, in seconds,
/// where a row's positions are those it attends to.
package struct StepCosts: Sendable, Equatable {
  /// Reading the weights, and what every step does.
  package var fixed: Double
  /// Arithmetic of a row.
  package var perRow: Double
  /// Reading a position of a history for a row.
  package var perPosition: Double

  package init(fixed: Double, perRow: Double, perPosition: Double) {
    self.fixed = fixed
    self.perRow = perRow
    self.perPosition = perPosition
  }

  /// A processor on which a step of sixteen rows takes twice as long as one of one: what is assumed before steps were
  /// measured.
  package static let assumed = StepCosts(fixed: 0.015, perRow: 0.001, perPosition: 0)

  package func seconds(rows: Int, positions: Int) -> Double {
    fixed + perRow * Double(rows) + perPosition * Double(positions)
  }

  /// How likely a drafted token must be right, that the tokens a second do not fall: a row's share of the step's time,
  /// times the tokens the step gives without it.
  package func leastUsefulProbability(rows: Int) -> Double {
    let total = fixed + perRow * Double(rows)
    return total > 0 ? perRow * Double(rows) / total : 1
  }

  /// The most rows at up to `context` positions each, at least 1, with which a step that has these rows and positions
  /// already stays within `target` seconds.
  package func rows(within target: Double, besides rows: Int, _ positions: Int, context: Int) -> Int {
    let left = target - seconds(rows: rows, positions: positions)
    let each = perRow + perPosition * Double(context)
    guard left > 0, each > 0 else { return left > 0 ? .max : 1 }
    return max(1, Int(min(left / each, 1e9)))
  }
}
