public import ApusEngine

/// Metrics in Prometheus' text format, version 0.0.4: what a scraper gets.
public enum PrometheusText {
  /// For the `Content-Type` field of the answer.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// - Parameter labels: put before those of each sample: the model's name, say.
  public static func render(_ families: [MetricFamily], labels: [MetricLabel] = []) -> String {
    var text = ""
    for family in families { write(family, labels, to: &text) }
    return text
  }

  private static func write(_ family: MetricFamily, _ labels: [MetricLabel], to text: inout String) {
    let name = family.name
    text += "# HELP \(name) \(escaped(family.help, quotes: false))\n"
    switch family.value {
    case .counter(let samples), .gauge(let samples):
      let isGauge = if case .gauge = family.value { true } else { false }
      text += "# TYPE \(name) \(isGauge ? "gauge" : "counter")\n"
      for sample in samples {
        text += "\(name)\(list(labels + sample.labels)) \(number(sample.value))\n"
      }
    case .histogram(let histogram):
      text += "# TYPE \(name) histogram\n"
      var count: UInt64 = 0
      for (index, bound) in histogram.upperBounds.enumerated() {
        count += histogram.counts[index]
        text += "\(name)_bucket\(list(labels, bound: "\(bound)")) \(count)\n"
      }
      text += "\(name)_bucket\(list(labels, bound: "+Inf")) \(histogram.count)\n"
      text += "\(name)_sum\(list(labels)) \(number(histogram.sum))\n"
      text += "\(name)_count\(list(labels)) \(histogram.count)\n"
    }
  }

  private static func list(_ labels: [MetricLabel], bound: String? = nil) -> String {
    var parts = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
    if let bound { parts.append("le=\"\(bound)\"") }
    return parts.isEmpty ? "" : "{\(parts.joined(separator: ","))}"
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension EngineMetrics {
  /// The snapshot as `PrometheusText` renders it.
  public func prometheusText(labels: [MetricLabel] = []) -> String {
    PrometheusText.render(families, labels: labels)
  }
}
