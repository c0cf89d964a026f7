import ApusEngine
import BenchmarkSupport
import Foundation
import Testing

struct LoadTraceTests {
  private struct Line: Decodable, Equatable {
    var prompt_token_ids: [Int32]
    var max_tokens: Int
    var arrival: Double?
  }

  private func lines(_ trace: LoadTrace) throws -> [Line] {
    try trace.jsonLines.split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
  }

  private let lengths = [
    RequestLengths(promptTokens: 3, generatedTokens: 5), RequestLengths(promptTokens: 1, generatedTokens: 2),
  ]

  @Test func writesALineForEachRequest() throws {
    let trace = LoadTrace.random(lengths, vocabularySize: 100, seed: 1)
    let expected = trace.arrivals.map { arrival in
      Line(prompt_token_ids: arrival.request.promptTokens, max_tokens: arrival.request.sampling.maxTokens!)
    }
    #expect(try lines(trace) == expected)
    #expect(expected.map(\.max_tokens) == [5, 2] && expected.map(\.prompt_token_ids.count) == [3, 1])
  }

  @Test func writesTimesWhereThereAreAny() throws {
    let trace = LoadTrace.random(lengths, vocabularySize: 100, rate: 2, seed: 1)
    let times = try lines(trace).map { $0.arrival ?? .nan }
    #expect(times.count == 2 && times[0] > 0 && times[1] > times[0])
  }
}
