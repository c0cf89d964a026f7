import Testing

struct SchedulerSimulationTests {
  @Test func holdsItsInvariantsOverRandomHistories() {
    var steps = 0
    for seed in UInt64(0)..<400 {
      let simulation = SchedulerSimulation(seed: seed)
      let violations = simulation.run()
      #expect(violations.isEmpty, "seed \(seed)")
      steps += simulation.stepCount
    }
    // The histories did run.
    #expect(steps > 10_000)
  }
}
