import Foundation

extension BenchmarkReport {
  /// The report with what is derived from it: keys in snake case, sorted.
  public func json() -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let summary = Summary(
      machine: machine,
      workloads: workloads.map { workload in
        Summary.Workload(
          report: workload, summary: workload.rows.map { Summary.Row($0, of: workload) })
      })
    guard let data = try? encoder.encode(summary) else {
      preconditionFailure("a report holds nothing but finite numbers and text")
    }
    return String(decoding: data, as: UTF8.self)
  }
}

/// What readers want without computing medians and ratios of their own.
private struct Summary: Encodable {
  struct Workload: Encodable {
    var report: WorkloadReport
    var summary: [Row]
  }

  struct Row: Encodable {
    var batchSize: Int
    var admission: String
    var seconds: Spread
    var tokensPerSecond: Spread
    var speedUp: Double?
    var prefillTokensPerSecond: Spread?
    var decodeTokensPerSecond: Spread?
    var decodeSpeedUp: Double?
    var decodeIdeal: Double?
    var decodeBandwidthIdeal: Double?
    var bandwidthShare: Spread?

    init(_ row: BatchReport, of workload: WorkloadReport) {
      batchSize = row.batchSize
      admission = row.isStatic ? "static" : "continuous"
      seconds = row.seconds
      tokensPerSecond = row.tokensPerSecond
      speedUp = workload.speedUp(row)
      prefillTokensPerSecond = row.prefillTokensPerSecond
      decodeTokensPerSecond = row.decodeTokensPerSecond
      decodeSpeedUp = workload.decodeSpeedUp(row)
      decodeIdeal = workload.idealDecodeRate(batchSize: row.batchSize)
      decodeBandwidthIdeal = row.bandwidthIdealDecodeRate
      bandwidthShare = row.bandwidthShare
    }
  }

  var machine: BenchmarkReport.Machine
  var workloads: [Workload]
}
