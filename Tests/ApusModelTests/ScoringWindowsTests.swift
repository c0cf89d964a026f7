import ApusModel
import Testing

@Suite struct ScoringWindowsTests {
  @Test func scoreEveryTokenButTheFirstOnceWithEnoughBeforeIt() throws {
    for tokenCount in 2...40 {
      for contextLength in 2...24 {
        for stride in 1..<contextLength {
          let found = try ScoringWindows(
            tokenCount: tokenCount, contextLength: contextLength, stride: stride, contextLengthMax: 24)
          var scored: [Int] = []
          for window in found.windows {
            #expect(window.tokens.count <= contextLength && window.tokens.upperBound <= tokenCount)
            let before = window.firstScored - window.tokens.lowerBound
            #expect(window.tokens.lowerBound == 0 ? before == 1 : before == contextLength - stride)
            scored += window.firstScored..<window.tokens.upperBound
          }
          #expect(scored == Array(1..<tokenCount))
          #expect(found.rowCount == found.windows.reduce(0) { $0 + $1.tokens.count - 1 })
        }
      }
    }
  }

  @Test func overlapByHalfUnlessToldOtherwise() throws {
    let found = try ScoringWindows(tokenCount: 9, contextLength: 5, contextLengthMax: 5)
    #expect(found.stride == 2)
    #expect(found.windows.map(\.tokens) == [0..<5, 2..<7, 4..<9])
    #expect(found.windows.map(\.firstScored) == [1, 5, 7])
  }

  @Test func refuseWhatCannotBeScored() {
    func error(_ tokenCount: Int, _ contextLength: Int, _ stride: Int?) -> PerplexityError? {
      #expect(throws: PerplexityError.self) {
        try ScoringWindows(
          tokenCount: tokenCount, contextLength: contextLength, stride: stride, contextLengthMax: 16)
      }
    }
    #expect(error(0, 8, nil) == .tooFewTokens(0))
    #expect(error(1, 8, nil) == .tooFewTokens(1))
    #expect(error(9, 1, nil) == .contextLength(1, maximum: 16))
    #expect(error(9, 17, nil) == .contextLength(17, maximum: 16))
    #expect(error(9, .min, nil) == .contextLength(.min, maximum: 16))
    #expect(error(9, 8, 0) == .stride(0, contextLength: 8))
    #expect(error(9, 8, 8) == .stride(8, contextLength: 8))
    #expect(PerplexityError.tooFewTokens(1).description == "1 token; expected at least 2")
  }

  @Test func meansComeWithTheirStandardErrors() throws {
    // By hand: deviations -3, -1, 0, 4; squares 26; 26 / 3 / 4.
    let mean = SampleMean([1, 3, 4, 8])
    #expect(mean.value == 4)
    #expect(abs(try #require(mean.standardError) - (26.0 / 12).squareRoot()) < 1e-15)
    #expect(SampleMean([2]).standardError == nil)
  }
}
