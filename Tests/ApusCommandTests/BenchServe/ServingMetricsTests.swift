import ApusCheckpoint
import Foundation
import Testing

@testable import ApusCommand

@Suite struct ServingMetricsTests {
  @Test func summariesAreWhatNumPyMakesOfTheSameValues() throws {
    let url = try #require(
      Bundle.module.url(forResource: "summaries", withExtension: "json", subdirectory: "Fixtures"))
    let cases = try #require(try JSONObject.read(url).arrayIfPresent("cases"))
    #expect(cases.count == 7)
    for value in cases {
      guard case .object(let members) = value, case .array(let values)? = members["values"],
        case .object(let percentiles)? = members["percentiles"]
      else { throw CommandFailure("not a case") }
      let summary = SampleSummary(values.compactMap(\.double))
      func expect(_ found: Double, _ expected: JSONValue?) throws {
        let expected = try #require(expected?.double)
        #expect(abs(found - expected) <= 1e-12 * max(1, abs(expected)))
      }
      try expect(summary.mean, members["mean"])
      try expect(summary.median, members["median"])
      try expect(summary.standardDeviation, members["std"])
      for key in percentiles.keys { try expect(summary.percentile(Double(key)!), percentiles[key]) }
    }
  }

  @Test func nothingMeasuredIsZero() {
    let summary = SampleSummary([])
    #expect(
      [summary.mean, summary.median, summary.standardDeviation, summary.percentile(99)] == [0, 0, 0, 0])
  }

  private static let outcomes = [
    RequestOutcome(start: 0, pieces: [0.1, 0.2, 0.4], promptTokens: 7, completionTokens: 4),
    RequestOutcome(start: 0.3, pieces: [0.5], promptTokens: 5, completionTokens: 1),
    RequestOutcome(start: 2, pieces: [0.1], failure: "cut"),
  ]

  @Test func onlyWholeAnswersCount() {
    let metrics = ServingMetrics(Self.outcomes, inputTokenCounts: [100, 100, 100], duration: 2)
    #expect(metrics.completedCount == 2)
    #expect(metrics.failedCount == 1)
    #expect(metrics.inputTokenCount == 12)
    #expect(metrics.outputTokenCount == 5)
    #expect(metrics.tokenCount == .usage)
    #expect(metrics.perSecond(metrics.outputTokenCount) == 2.5)
    #expect(metrics.outputTokensPeak == 4)
    #expect(metrics.concurrencyPeak == 2)
    #expect(metrics.goodCount == nil)
  }

  @Test func timesAreOfPiecesAndTokensOfUsage() throws {
    let outcome = Self.outcomes[0]
    #expect(outcome.timeToFirstToken == 0.1)
    #expect(outcome.latency == 0.4)
    #expect(zip(outcome.gaps, [0.1, 0.2]).allSatisfy { abs($0 - $1) < 1e-12 })
    // Three tokens after the first in 0.3 s, although they came in two pieces.
    #expect(abs(try #require(outcome.timePerOutputToken) - 0.1) < 1e-12)
    #expect(Self.outcomes[1].timePerOutputToken == nil)
  }

  @Test func withoutUsagePiecesAreCounted() {
    var outcomes = Self.outcomes
    outcomes[0].completionTokens = nil
    outcomes[0].promptTokens = nil
    let mixed = ServingMetrics(outcomes, inputTokenCounts: [100, 100, 100], duration: 1)
    #expect(mixed.outputTokenCount == 4)
    #expect(mixed.inputTokenCount == 105)
    #expect(mixed.tokenCount == .mixed)
    outcomes[1].completionTokens = nil
    #expect(ServingMetrics(outcomes, inputTokenCounts: [1, 1, 1], duration: 1).tokenCount == .chunks)
  }

  @Test func goodputCountsWhatKeepsAllObjectives() throws {
    func good(_ texts: String...) throws -> Int? {
      let objectives = try texts.map { try #require(GoodputObjective(argument: $0)) }
      return ServingMetrics(Self.outcomes, inputTokenCounts: [0, 0, 0], duration: 1, goodput: objectives)
        .goodCount
    }
    #expect(try good("ttft:500") == 2)
    #expect(try good("ttft:499") == 1)
    #expect(try good("ttft:500", "e2el:450") == 1)
    // One token has no time per token to miss.
    #expect(try good("tpot:50") == 1)
    for text in ["ttft", "ttft:", "ttft:x", "itl:5", "ttft:-1", "ttft:1:2", "ttft:nan"] {
      #expect(GoodputObjective(argument: text) == nil, "\(text)")
    }
  }
}

extension JSONValue {
  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
