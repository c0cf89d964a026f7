/// Learns `StepCosts` from the steps that ran: least squares over the past, older steps counting less, so that it
/// follows a machine that others use too.
package struct StepCostModel: Sendable {
  /// What a step's predecessors count for, each step anew: the past few hundred matter. Where a prediction was off by
  /// more than `surprise`, the past few dozen: the machine is another than it was.
  private static let memory = 0.995
  private static let memoryWhenSurprised = 0.9
  private static let surprise = 0.25
  /// Steps the assumption that it began with is worth.
  private static let priorWeight = 0.5

  /// Sums of x * x^T and x * y, x being (1, rows, positions / 1024) and y seconds.
  private var squares = SIMD8<Double>.zero
  private var products = SIMD4<Double>.zero
  /// Steps seen.
  package private(set) var count = 0
  package private(set) var costs = StepCosts.assumed
  /// Mean of the relative errors of predictions, newer ones counting more.
  package private(set) var relativeError = 0.0

  package init() {}

  /// A step of so many rows, attending to so many positions in all, took so long.
  package mutating func record(rows: Int, positions: Int, seconds: Double) {
    guard seconds > 0, seconds.isFinite else { return }
    var memory = Self.memory
    if count > 0 {
      let error = abs(costs.seconds(rows: rows, positions: positions) - seconds) / seconds
      relativeError += 0.05 * (min(error, 10) - relativeError)
      if error > Self.surprise { memory = Self.memoryWhenSurprised }
    }
    let (r, p) = (Double(rows), Double(positions) / 1024)
    // Relative errors count alike: weighted by 1 / seconds^2, or long steps would drown the short ones.
    let weight = 1 / (seconds * seconds)
    squares = squares * memory + SIMD8(1, r, p, r * r, r * p, p * p, 0, 0) * weight
    products = products * memory + SIMD4(seconds, r * seconds, p * seconds, 0) * weight
    count += 1
    solve(scale: seconds)
  }

  /// Where steps are all alike they do not tell rows from the rest; the assumed proportions decide then.
  private mutating func solve(scale: Double) {
    let assumed = StepCosts.assumed
    // The assumption in the machine's own measure: of the mean step.
    let mean = products[0] / squares[0]
    let rows = squares[1] / squares[0]
    let unit = mean / (assumed.fixed + assumed.perRow * rows)
    let prior = SIMD4(assumed.fixed * unit, assumed.perRow * unit, 0, 0)
    let strength = Self.priorWeight * squares[0] / Double(min(count, 200))
    // Each coefficient is held to its assumption as so many steps at the mean would.
    let hold = SIMD4(strength * 0.01, strength * rows * rows * 0.01, strength * 0.01, 0)
    let (a, b, c) = (squares[0] + hold[0], squares[1], squares[2])
    let (d, e, f) = (squares[3] + hold[1], squares[4], squares[5] + hold[2])
    let y = products + hold * prior
    let determinant = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d)
    guard determinant > 0, determinant.isFinite else { return }
    let fixed = (y[0] * (d * f - e * e) - b * (y[1] * f - e * y[2]) + c * (y[1] * e - d * y[2])) / determinant
    let perRow =
      (a * (y[1] * f - e * y[2]) - y[0] * (b * f - c * e) + c * (b * y[2] - c * y[1])) / determinant
    let perPosition =
      (a * (d * y[2] - y[1] * e) - b * (b * y[2] - c * y[1]) + y[0] * (b * e - c * d)) / determinant
    guard fixed.isFinite, perRow.isFinite, perPosition.isFinite else { return }
    // Nothing runs in negative time, whatever noise says.
    costs = StepCosts(
      fixed: max(0, fixed), perRow: max(perRow, unit * assumed.perRow * 0.01),
      perPosition: max(0, perPosition) / 1024)
  }
}
