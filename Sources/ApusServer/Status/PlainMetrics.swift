package import ApusEngine

/// A few gauges and counters in the text format of Prometheus, named as vLLM names them.
package enum PlainMetrics {
  package static func text(_ metrics: EngineMetrics, model: String) -> String {
    var text = ""
    func add(_ name: String, _ kind: String, _ help: String, _ value: Double) {
      text += "# HELP apus:\(name) \(help)\n# TYPE apus:\(name) \(kind)\n"
      text += "apus:\(name){model_name=\"\(escaped(model))\"} \(value)\n"
    }
    add("num_requests_running", "gauge", "Requests in a slot.", Double(metrics.requestsRunning))
    add("num_requests_waiting", "gauge", "Requests in the queue.", Double(metrics.requestsWaiting))
    add("kv_cache_usage_perc", "gauge", "Share of the KV pages that requests hold.", metrics.kvCacheUsage)
    add("prompt_tokens_total", "counter", "Prompt tokens computed.", Double(metrics.promptTokensTotal))
    add("generation_tokens_total", "counter", "Tokens generated.", Double(metrics.generationTokensTotal))
    add("num_preemptions_total", "counter", "Requests computed again.", Double(metrics.preemptionsTotal))
    return text
  }

  private static func escaped(_ label: String) -> String {
    label.flatMap { character -> [Character] in
      switch character {
      case "\\": ["\\", "\\"]
      case "\"": ["\\", "\""]
      case "\n": ["\\", "n"]
      default: [character]
      }
    }.map(String.init).joined()
  }
}
