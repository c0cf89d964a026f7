import Testing

@testable import ApusCommand

@Suite struct ArrivalTimesTests {
  /// Mean and squared coefficient of variation of the gaps between 100,000 arrivals.
  private static func gaps(burstiness: Double) -> (mean: Double, variation: Double) {
    let times = ArrivalTimes.random(count: 100_000, rate: 20, burstiness: burstiness, seed: 3)
    let gaps = zip(times, [0] + times).map { $0 - $1 }
    #expect(gaps.allSatisfy { $0 >= 0 })
    let summary = SampleSummary(gaps)
    return (
      summary.mean, summary.standardDeviation * summary.standardDeviation / (summary.mean * summary.mean)
    )
  }

  @Test(arguments: [0.25, 1, 4]) func gapsHaveTheRateAndTheBurstinessAskedFor(_ burstiness: Double) {
    let (mean, variation) = Self.gaps(burstiness: burstiness)
    #expect(abs(mean * 20 - 1) < 0.02)
    // A gamma distribution's is one over its shape.
    #expect(abs(variation * burstiness - 1) < 0.06)
  }

  @Test func withoutARateAllArriveAtOnce() {
    #expect(ArrivalTimes.random(count: 3, rate: .infinity, burstiness: 1, seed: 0) == [0, 0, 0])
  }

  @Test func theSameSeedGivesTheSameTimes() {
    func times(_ seed: UInt64) -> [Double] {
      ArrivalTimes.random(count: 10, rate: 5, burstiness: 0.5, seed: seed)
    }
    #expect(times(1) == times(1))
    #expect(times(1) != times(2))
  }
}
