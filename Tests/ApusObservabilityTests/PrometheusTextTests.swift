import ApusEngine
import ApusObservability
import Foundation
import Testing

/// Fixtures/metrics.txt is what `render` gives for the metrics below; Fixtures/metrics.json is what
/// `prometheus_client` reads in it (`make_fixtures.py`).
struct PrometheusTextTests {
  private static func fixture(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
  }

  /// Every kind, with all that must be escaped.
  static var text: String {
    var metrics = EngineMetrics(slotCount: 4, pageCount: 8, contextLength: 100)
    metrics.recordQueues(running: 3, waiting: 2, waitingTokens: 40, pagesHeld: 6, pagesIdle: 1)
    for time in [1, 20, 300, 4000] as [Int64] {
      metrics.recordSubmission()
      metrics.recordAdmission(queueTime: .milliseconds(time), promptTokens: 10)
      metrics.recordFirstToken(
        sinceQueued: .milliseconds(2 * time), sinceAdmitted: .milliseconds(time), promptTokens: 10,
        cachedTokens: 4)
      metrics.recordToken(sinceLast: .milliseconds(25))
      metrics.recordFinish(
        .length,
        Usage(
          promptTokenCount: 10, completionTokenCount: 2, seed: 1,
          timing: RequestTiming(
            queued: .zero, admitted: .milliseconds(time), firstToken: .milliseconds(2 * time),
            finished: .milliseconds(3 * time))))
    }
    metrics.recordRejection()
    metrics.recordFinish(
      .cancelled,
      Usage(
        promptTokenCount: 1, completionTokenCount: 1, seed: 0,
        timing: RequestTiming(queued: .zero, finished: .seconds(1))))
    let odd = MetricFamily(
      "apus:odd", "A \\ and a line's\nend, and a \"quote\".",
      .gauge([
        .init(.infinity, labels: [MetricLabel("text", "a \\ and a line's\nend, and a \"quote\"")]),
        .init(-1.5e-9, labels: [MetricLabel("text", "é {,=}")]),
      ]))
    return PrometheusText.render(
      metrics.families + [odd], labels: [MetricLabel("model_name", "Qwen2-0.5B")])
  }

  @Test func theTextIsWhatPrometheusClientWasGiven() throws {
    let expected = try String(contentsOf: Self.fixture("metrics.txt"), encoding: .utf8)
    #expect(Self.text == expected)
  }

  private struct Read: Decodable {
    struct Sample: Decodable {
      let name: String
      let labels: [String: String]
      let value: String
    }
    let name, type, help: String
    let samples: [Sample]
  }

  @Test func prometheusClientReadsInItWhatTheSnapshotSays() throws {
    let read = try JSONDecoder().decode([Read].self, from: Data(contentsOf: Self.fixture("metrics.json")))
    func samples(_ name: String) -> [String: String] {
      var values: [String: String] = [:]
      for sample in read.flatMap(\.samples) where sample.name == name {
        #expect(sample.labels["model_name"] == "Qwen2-0.5B")
        values[sample.labels["le"] ?? sample.labels["finished_reason"] ?? sample.labels["text"] ?? ""] =
          sample.value
      }
      return values
    }
    #expect(samples("apus:num_requests_running") == ["": "3.0"])
    #expect(samples("apus:kv_cache_usage_perc") == ["": "0.75"])
    #expect(
      samples("apus:request_success_total")
        == ["stop": "0.0", "length": "4.0", "abort": "1.0", "timeout": "0.0", "error": "0.0"])
    #expect(samples("apus:prompt_tokens_total") == ["": "40.0"])
    #expect(samples("apus:prompt_tokens_cached_total") == ["": "16.0"])
    #expect(samples("apus:prefix_cache_queries_total") == ["": "40.0"])
    #expect(samples("apus:admission_rejections_total") == ["": "1.0"])
    let firstTokens = samples("apus:time_to_first_token_seconds_bucket")
    #expect(firstTokens.count == MetricBuckets.firstTokenSeconds.count + 1)
    #expect(firstTokens["0.001"] == "0.0" && firstTokens["0.005"] == "1.0" && firstTokens["0.04"] == "2.0")
    #expect(firstTokens["0.75"] == "3.0" && firstTokens["10.0"] == "4.0" && firstTokens["+Inf"] == "4.0")
    #expect(samples("apus:time_to_first_token_seconds_count") == ["": "4.0"])
    #expect(samples("apus:time_to_first_token_seconds_sum") == ["": "8.642"])
    #expect(samples("apus:inter_token_latency_seconds_bucket")["0.025"] == "4.0")
    #expect(samples("apus:request_prompt_tokens_bucket")["10.0"] == "4.0")
    #expect(
      samples("apus:odd") == ["a \\ and a line's\nend, and a \"quote\"": "inf", "é {,=}": "-1.5e-09"])
    let odd = try #require(read.first { $0.name == "apus:odd" })
    #expect(odd.help == "A \\ and a line's\nend, and a \"quote\"." && odd.type == "gauge")
    #expect(read.first { $0.name == "apus:e2e_request_latency_seconds" }?.type == "histogram")
    #expect(read.allSatisfy { $0.type != "unknown" && !$0.help.isEmpty })
  }

  @Test func everyNameIsUsedOnceAndCountersEndInTotal() {
    let families = EngineMetrics(slotCount: 1).families
    #expect(Set(families.map(\.name)).count == families.count)
    for family in families {
      #expect(family.name.hasPrefix("apus:"))
      if case .counter = family.value { #expect(family.name.hasSuffix("_total")) }
    }
  }

  @Test func aValueBelongsToTheFirstBoundItDoesNotExceed() {
    var histogram = BucketHistogram(upperBounds: [1, 2, 5])
    for value in [0, 1, 1.5, 2, 5, 5.1] { histogram.record(value) }
    #expect(histogram.counts == [2, 2, 1, 1])
    #expect(histogram.count == 6)
    #expect(abs(histogram.sum - 14.6) <= 1e-12)
    #expect(MetricBuckets.tokens(upTo: 100) == [1, 2, 5, 10, 20, 50, 100])
    #expect(MetricBuckets.tokens(upTo: 0) == [])
  }
}
