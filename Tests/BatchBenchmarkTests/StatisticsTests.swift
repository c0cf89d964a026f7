import BenchmarkSupport
import Testing

@Suite struct StatisticsTests {
  @Test func medianIsTheMiddleOrTheMeanOfTheTwo() {
    #expect([3.0, 1, 2].median == 2)
    #expect([4.0, 1, 2, 3].median == 2.5)
    #expect([Double]().median == nil)
  }

  @Test func quantilesAreNearestRanks() {
    let values = (1...100).map(Double.init).shuffled()
    #expect(values.quantile(0.5) == 50)
    #expect(values.quantile(0.99) == 99)
    #expect(values.quantile(0) == 1)
    #expect(values.quantile(1) == 100)
    #expect([7.0].quantile(0.99) == 7)
    #expect([Double]().quantile(0.5) == nil)
  }

  @Test func spreadHoldsTheExtremes() {
    let spread = Spread([2.0, 9, 4])
    #expect(spread?.minimum == 2 && spread?.median == 4 && spread?.maximum == 9)
    #expect(Spread([Double]()) == nil)
  }

  @Test func severalBandwidthReadingsGiveTheMedianOfMediansAndTheBestOfAll() {
    let first = BandwidthReading(byteCount: 100, passes: [1, 2, 4])
    let second = BandwidthReading(byteCount: 100, passes: [1, 0.5, 2])
    #expect(first.median == 50 && first.best == 100)
    #expect(BandwidthReading([first, second]) != nil)
    #expect(BandwidthReading([first, second])?.median == 75)
    #expect(BandwidthReading([first, second])?.best == 200)
  }

  @Test func mixedLengthsStayInRangeAndFollowTheSeed() {
    func mix(_ seed: UInt64) -> [RequestLengths] {
      RequestLengths.mix(count: 500, promptTokens: 16...256, generatedTokens: 16...128, seed: seed)
    }
    let lengths = mix(1)
    #expect(lengths.allSatisfy { (16...256).contains($0.promptTokens) })
    #expect(lengths.allSatisfy { (16...128).contains($0.generatedTokens) })
    #expect(lengths == mix(1))
    #expect(lengths != mix(2))
    // Uniform logarithms: half below the geometric mean of the ends.
    let short = lengths.count { $0.promptTokens <= 64 }
    #expect((200...300).contains(short))
  }
}
