/// Served traces, one a line.
public struct LoadTable: Sendable {
  public private(set) var table: TextTable

  /// - Parameter name: what the lines differ in.
  public init(_ name: String) {
    table = TextTable(header: [
      name, "seconds", "output\ntokens/s", "all\ntokens/s", "queue s\np50", "\np99", "TTFT s\np50", "\np99",
      "ITL ms\np50", "\np99", "latency s\nmean", "\np99",
    ])
  }

  public mutating func append(_ name: String, _ figures: LoadFigures) {
    table.append([
      name, formatted(figures.seconds), formatted(figures.outputTokensPerSecond),
      formatted(figures.totalTokensPerSecond), formatted(figures.queueTimes.quantile(0.5)),
      formatted(figures.queueTimes.quantile(0.99)), formatted(figures.timesToFirstToken.quantile(0.5)),
      formatted(figures.timesToFirstToken.quantile(0.99)),
      formatted(figures.interTokenTimes.quantile(0.5).map { $0 * 1000 }),
      formatted(figures.interTokenTimes.quantile(0.99).map { $0 * 1000 }),
      formatted(figures.latencies.mean), formatted(figures.latencies.quantile(0.99)),
    ])
  }
}
