import Simulator
import Testing

/// The short form; `apus-simulate` runs as many as there is time for.
struct SimulationTests {
  @Test func aThousandRandomHistoriesHoldEveryInvariant() throws {
    var coverage = Coverage()
    for seed in 0..<UInt64(1000) {
      let history = HistoryGenerator.history(seed: seed)
      var simulation = Simulation(history)
      if let violation = simulation.run() {
        let small = Shrinker.shrink(history) { Simulation.violation(in: $0) != nil }
        Issue.record("seed \(seed): \(violation); replay with: apus-simulate --replay '\(small)'")
        return
      }
      coverage.add(simulation.coverage)
    }
    #expect(coverage.missing == [], "histories in which nothing of this happens prove nothing about it")
  }

  @Test(arguments: FoundHistories.all) func holdsWhereItOnceFailed(_ text: String) throws {
    let history = try History(text)
    #expect(Simulation.violation(in: history) == nil)
  }

  @Test func aHistoryReadsBackAsItWasWritten() throws {
    for seed in 0..<UInt64(200) {
      let history = HistoryGenerator.history(seed: seed)
      #expect(try History("\(history)") == history)
    }
    #expect(throws: HistoryTextError(field: "slot=2")) { try History("slot=2") }
    #expect(throws: HistoryTextError(field: "slots=two")) { try History("slots=two;at=1") }
  }

  @Test func coverageReadsBackAsItWasWritten() {
    var simulation = Simulation(HistoryGenerator.history(seed: 1))
    _ = simulation.run()
    #expect(Coverage("\(simulation.coverage)") == simulation.coverage)
    #expect(Coverage("histories=1") == nil)
  }

  @Test func shrinkingLeavesNothingThatCanGo() {
    // Fails if a prompt of 5 or more comes after another request.
    func fails(_ history: History) -> Bool { history.arrivals.dropFirst().contains { $0.prompt >= 5 } }
    for seed in 0..<UInt64(50) {
      let history = HistoryGenerator.history(seed: seed)
      guard fails(history) else { continue }
      let small = Shrinker.shrink(history, fails: fails)
      #expect("\(small)" == "context=5;;prompt=5")
    }
  }

  @Test func anyNumbersMakeAHistory() throws {
    let text =
      "slots=0,rows=-3,pages=0,context=2,page-size=0;prompt=9,max=99,fork=7,min=50,at=-1;at=-5,count=0"
    #expect(Simulation.violation(in: try History(text)) == nil)
  }
}
