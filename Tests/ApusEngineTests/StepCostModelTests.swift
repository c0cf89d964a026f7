import ApusEngine
import ApusModel
import TestSupport
import Testing

struct StepCostModelTests {
  private let truth = StepCosts(fixed: 0.020, perRow: 0.0004, perPosition: 3e-7)

  /// Steps as an engine has them: mostly decoding, now and then a chunk of a prompt.
  private func step(_ random: inout SplitMix64) -> (rows: Int, positions: Int) {
    let decoding = random.nextInt(1...16)
    let chunk = random.nextInt(0...3) == 0 ? random.nextInt(8...256) : 0
    return (decoding + chunk, decoding * random.nextInt(100...2000) + chunk * random.nextInt(1...500))
  }

  private func train(
    _ model: inout StepCostModel, _ costs: StepCosts, steps: Int, noise: Double, _ random: inout SplitMix64
  ) {
    for _ in 0..<steps {
      let step = step(&random)
      let factor = 1 + noise * Double(random.nextFloat())
      model.record(
        rows: step.rows, positions: step.positions,
        seconds: costs.seconds(rows: step.rows, positions: step.positions) * factor)
    }
  }

  /// Largest relative error over steps of the kind it was trained on.
  private func error(_ model: StepCostModel, _ costs: StepCosts, _ random: inout SplitMix64) -> Double {
    (0..<200).reduce(0) { worst, _ in
      let step = step(&random)
      let expected = costs.seconds(rows: step.rows, positions: step.positions)
      return max(
        worst, abs(model.costs.seconds(rows: step.rows, positions: step.positions) - expected) / expected)
    }
  }

  @Test func beginsWithWhatIsAssumed() {
    let model = StepCostModel()
    #expect(model.costs == .assumed && model.count == 0)
  }

  @Test(arguments: [0, 0.1])
  func learnsWhatStepsTake(noise: Double) {
    var random = SplitMix64(seed: 3)
    var model = StepCostModel()
    train(&model, truth, steps: 300, noise: noise, &random)
    #expect(error(model, truth, &random) < 0.03 + 0.5 * noise)
    #expect(model.relativeError < 0.03 + noise)
    #expect(model.count == 300)
  }

  @Test func isUsableAfterAFewSteps() {
    var random = SplitMix64(seed: 5)
    var model = StepCostModel()
    train(&model, truth, steps: 12, noise: 0, &random)
    #expect(error(model, truth, &random) < 0.5)
  }

  @Test func followsAMachineThatOthersUseToo() {
    var random = SplitMix64(seed: 7)
    var model = StepCostModel()
    train(&model, truth, steps: 500, noise: 0.02, &random)
    let slow = StepCosts(fixed: 0.060, perRow: 0.0012, perPosition: 9e-7)
    train(&model, slow, steps: 500, noise: 0.02, &random)
    #expect(error(model, slow, &random) < 0.15)
  }

  /// Steps of one size say nothing of how rows and the rest share their time.
  @Test func stepsThatAreAllAlikeArePredictedAndKeepTheAssumedProportions() {
    var model = StepCostModel()
    for _ in 0..<400 { model.record(rows: 4, positions: 400, seconds: 0.1) }
    #expect(abs(model.costs.seconds(rows: 4, positions: 400) - 0.1) < 0.01)
    let assumed = StepCosts.assumed
    let ratio = model.costs.perRow / model.costs.fixed
    #expect(ratio > 0.2 * assumed.perRow / assumed.fixed && ratio < 5 * assumed.perRow / assumed.fixed)
  }

  @Test func noTimeOfAnyStepMakesACostThatIsNegativeOrNotFinite() {
    var random = SplitMix64(seed: 11)
    var model = StepCostModel()
    for index in 0..<2_000 {
      let seconds: Double =
        switch index % 7 {
        case 0: .zero
        case 1: .infinity
        case 2: .nan
        case 3: -1
        case 4: 1e-12
        case 5: 1e6
        default: Double(random.nextInt(1...1000)) * 1e-4
        }
      model.record(rows: random.nextInt(1...500), positions: random.nextInt(1...1_000_000), seconds: seconds)
      let costs = model.costs
      #expect(costs.fixed >= 0 && costs.perRow > 0 && costs.perPosition >= 0)
      #expect(costs.fixed.isFinite && costs.perRow.isFinite && costs.perPosition.isFinite)
    }
  }

  @Test func rowsThatFitAreTheMostThatStayWithinTheTarget() {
    for target in [0.021, 0.03, 0.1, 1] {
      let rows = truth.rows(within: target, besides: 4, 2000, context: 1000)
      func seconds(_ count: Int) -> Double {
        truth.seconds(rows: 4 + count, positions: 2000 + count * 1000)
      }
      #expect(seconds(rows) <= target || rows == 1)
      #expect(seconds(rows + 1) > target)
    }
  }

  @Test func atLeastOneRowFitsWhateverTheTarget() {
    #expect(truth.rows(within: 1e-9, besides: 8, 10_000, context: 100) == 1)
    #expect(truth.rows(within: .infinity, besides: 1, 1, context: 1) == 1_000_000_000)
    let free = StepCosts(fixed: 0.01, perRow: 0, perPosition: 0)
    #expect(free.rows(within: 1, besides: 1, 1, context: 1) == .max)
    #expect(free.rows(within: 0.001, besides: 1, 1, context: 1) == 1)
  }

  /// A drafted row pays where its chance times what a row's token is worth exceeds its time.
  @Test func theLeastUsefulProbabilityIsWhereTokensPerSecondStayTheSame() {
    for rows in [1, 4, 16, 100] {
      let least = truth.leastUsefulProbability(rows: rows)
      let before = Double(rows) / truth.seconds(rows: rows, positions: 0)
      let after = (Double(rows) + least) / truth.seconds(rows: rows + 1, positions: 0)
      #expect(abs(before / after - 1) < 1e-9)
    }
  }
}

/// The budget of prompt rows, as the scheduler applies it.
struct PrefillBudgetTests {
  /// Request 1 decodes, request 2 has a long prompt.
  private func driver(prefillStep: Int = 40) throws -> SchedulerDriver {
    var driver = SchedulerDriver(prefillStep: prefillStep)
    try driver.submit(1, prompt: 1, maxTokens: 30)
    driver.step()
    try driver.submit(2, prompt: 60, maxTokens: 2)
    return driver
  }

  private func rows(_ driver: inout SchedulerDriver, costs: StepCosts, target: Double?) -> Int {
    var events: [SchedulerEvent] = []
    _ = driver.scheduler.nextStep(
      into: &driver.plan, under: StepConditions(costs: costs, target: target), events: &events)
    #expect(driver.plan.decodeRowCount == 1 && driver.plan.prefillRowCount <= driver.plan.prefillBudget)
    return driver.plan.prefillRowCount
  }

  private let costs = StepCosts(fixed: 0.010, perRow: 0.001, perPosition: 0)

  @Test func withoutATargetAPromptHasItsFullChunk() throws {
    var driver = try driver()
    #expect(rows(&driver, costs: costs, target: nil) == 40)
  }

  @Test func aStepWithPromptRowsStaysWithinTheTarget() throws {
    var driver = try driver()
    // 10 ms, and 1 ms a row: one decodes, nine more fit.
    #expect(rows(&driver, costs: costs, target: 0.0201) == 9)
  }

  @Test func oneRowRunsEvenWhereNoneFits() throws {
    var driver = try driver()
    #expect(rows(&driver, costs: costs, target: 0.001) == 1)
  }

  @Test func neverMoreThanTheChunk() throws {
    var driver = try driver(prefillStep: 5)
    #expect(rows(&driver, costs: costs, target: 100) == 5)
  }

  @Test func aPromptAloneIsNotHeldBack() throws {
    var driver = SchedulerDriver(prefillStep: 40)
    try driver.submit(1, prompt: 60, maxTokens: 2)
    var events: [SchedulerEvent] = []
    _ = driver.scheduler.nextStep(
      into: &driver.plan, under: StepConditions(costs: costs, target: 0.001), events: &events)
    #expect(driver.plan.prefillRowCount == 40)
  }

  /// The engine's budget settles where its steps take the target, whatever the machine's rows cost.
  @Test(arguments: [0.0002, 0.001, 0.004])
  func theEngineAdaptsItsBudgetToWhatStepsTake(perRow: Double) throws {
    let clock = ManualClock()
    let model = FakeStepModel(slotCount: 2, contextLength: 4000, rowsPerStepMax: 600)
    let target = 0.05
    var steps: [(rows: Int, seconds: Double)] = []
    model.onForward = { batch in
      let seconds = 0.01 + perRow * Double(batch.rowCount)
      steps.append((batch.rowCount, seconds))
      clock.advance(.nanoseconds(Int64(seconds * 1e9)))
    }
    let core = try EngineCore(
      model: model,
      configuration: EngineConfiguration(
        prefillStep: 500, interTokenTarget: .milliseconds(50), draftTokensMax: 0),
      kernels: nil, clock: clock.clock, makeSeed: { 1 }, observer: nil)
    let running = try core.submit(
      GenerationRequest(promptTokens: [1], sampling: .greedy(maxTokens: 2000)), at: .zero)
    for _ in 0..<20 { _ = core.step() }
    let prompt = (0..<3000).map { Int32($0 % 61) }
    let long = try core.submit(
      GenerationRequest(promptTokens: prompt, sampling: .greedy(maxTokens: 1)), at: .zero)
    steps.removeAll()
    while core.scheduler.request(long.id) != nil { _ = core.step() }
    let settled = steps.dropFirst(3).dropLast()
    #expect(settled.allSatisfy { $0.seconds < 1.1 * target })
    #expect(settled.allSatisfy { $0.seconds > 0.8 * target || $0.rows >= 500 })
    withExtendedLifetime(running) {}
  }
}
