import ApusServer
import Foundation

/// What a load came to, for a person as vLLM's `Serving Benchmark Result`, and for a program with its keys.
struct ServingReport: Sendable {
  var metrics: ServingMetrics
  var endpoint: CompletionEndpoint
  var requestCount: Int
  /// Requests a second; infinite: all at once. Nil: at the trace's times.
  var rate: Double?
  var burstiness: Double
  var concurrencyMax: Int?

  private static let width = 50

  private var latencies: [(key: String, name: String, heading: String, values: SampleSummary)] {
    [
      ("ttft", "TTFT", "Time to First Token", metrics.timeToFirstToken),
      ("tpot", "TPOT", "Time per Output Token (excl. 1st token)", metrics.timePerOutputToken),
      ("itl", "ITL", "Inter-token Latency", metrics.interTokenLatency),
      ("e2el", "E2EL", "End-to-end Latency", metrics.endToEndLatency),
    ]
  }

  var text: String {
    var lines = [Self.centred(" Serving Benchmark Result ", "=")]
    func add(_ name: String, _ value: String) {
      lines.append(Self.padded("\(name):", to: 40) + " " + Self.padded(value, to: 10))
    }
    func add(_ name: String, _ value: Int) { add(name, "\(value)") }
    func add(_ name: String, _ value: Double) { add(name, String(format: "%.2f", value)) }
    add("Successful requests", metrics.completedCount)
    add("Failed requests", metrics.failedCount)
    if let concurrencyMax { add("Maximum request concurrency", concurrencyMax) }
    if let rate, rate.isFinite { add("Request rate configured (RPS)", rate) }
    add("Benchmark duration (s)", metrics.duration)
    add("Total input tokens", metrics.inputTokenCount)
    add("Total generated tokens", metrics.outputTokenCount)
    add("Request throughput (req/s)", metrics.perSecond(metrics.completedCount))
    if let good = metrics.goodCount { add("Request goodput (req/s)", metrics.perSecond(good)) }
    add("Output token throughput (tok/s)", metrics.perSecond(metrics.outputTokenCount))
    add("Peak output token throughput (tok/s)", Double(metrics.outputTokensPeak))
    add("Peak concurrent requests", Double(metrics.concurrencyPeak))
    add(
      "Total token throughput (tok/s)", metrics.perSecond(metrics.inputTokenCount + metrics.outputTokenCount))
    for latency in latencies {
      lines.append(Self.centred(latency.heading, "-"))
      add("Mean \(latency.name) (ms)", latency.values.mean * 1000)
      add("Median \(latency.name) (ms)", latency.values.median * 1000)
      add("P99 \(latency.name) (ms)", latency.values.percentile(99) * 1000)
    }
    lines.append(String(repeating: "=", count: Self.width))
    return lines.joined(separator: "\n") + "\n"
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// What is left over goes to the right, as in Python.
  private static func centred(_ text: String, _ fill: Character) -> String {
    let space = max(0, width - text.count)
    return String(repeating: fill, count: space / 2) + text
      + String(repeating: fill, count: space - space / 2)
  }

  /// - Parameter details: the outcomes, to tell each request's figures as vLLM's `--save-detailed` does.
  func json(details: [RequestOutcome]? = nil) -> JSONText {
    var members: [JSONText.Member] = []
    func add(_ name: String, _ value: JSONText) { members.append(JSONText.Member(name: name, value: value)) }
    add("backend", .string(endpoint.kind == .chat ? "openai-chat" : "openai"))
    add("model_id", .string(endpoint.model))
    add("num_prompts", .integer(requestCount))
    add("request_rate", .optional(rate) { $0.isFinite ? .double($0) : "inf" })
    add("burstiness", .double(burstiness))
    add("max_concurrency", .optional(concurrencyMax) { .integer($0) })
    add("duration", .double(metrics.duration))
    add("completed", .integer(metrics.completedCount))
    add("failed", .integer(metrics.failedCount))
    add("total_input_tokens", .integer(metrics.inputTokenCount))
    add("total_output_tokens", .integer(metrics.outputTokenCount))
    add("output_tokens_counted_by", .string(metrics.tokenCount.rawValue))
    add("request_throughput", .double(metrics.perSecond(metrics.completedCount)))
    add("request_goodput", .optional(metrics.goodCount) { .double(metrics.perSecond($0)) })
    add("output_throughput", .double(metrics.perSecond(metrics.outputTokenCount)))
    add(
      "total_token_throughput",
      .double(metrics.perSecond(metrics.inputTokenCount + metrics.outputTokenCount)))
    add("max_output_tokens_per_s", .integer(metrics.outputTokensPeak))
    add("max_concurrent_requests", .integer(metrics.concurrencyPeak))
    for latency in latencies {
      add("mean_\(latency.key)_ms", .double(latency.values.mean * 1000))
      add("median_\(latency.key)_ms", .double(latency.values.median * 1000))
      add("std_\(latency.key)_ms", .double(latency.values.standardDeviation * 1000))
      add("p99_\(latency.key)_ms", .double(latency.values.percentile(99) * 1000))
    }
    if let details {
      add("ttfts", .array(details.map { .double($0.timeToFirstToken) }))
      add("itls", .array(details.map { .array($0.gaps.map { .double($0) }) }))
      add("output_lens", .array(details.map { .integer($0.outputTokenCount) }))
      add("generated_texts", .array(details.map { .string($0.text) }))
      add("errors", .array(details.map { .string($0.failure ?? "") }))
    }
    return .object(members)
  }
}
