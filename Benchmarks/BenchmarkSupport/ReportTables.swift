/// A workload's figures as tables that fit a terminal of 100 columns.
extension WorkloadReport {
  /// Columns that both the tables for people and the list for programs are made of.
  public func throughputTable() -> TextTable {
    var table = TextTable(header: [
      "batch", "seconds", "tokens/s", "speed-up", "prefill\ntokens/s", "decode\ntokens/s", "decode\nspeed-up",
      "decode\nideal", "bandwidth\nideal", "share of\nbandwidth",
    ])
    for row in rows {
      table.append([
        row.label, formatted(row.seconds.median), formatted(row.tokensPerSecond.median),
        formatted(speedUp(row)), formatted(row.prefillTokensPerSecond?.median),
        formatted(row.decodeTokensPerSecond?.median), formatted(decodeSpeedUp(row)),
        formatted(idealDecodeRate(batchSize: row.batchSize)), formatted(row.bandwidthIdealDecodeRate),
        formattedPercent(row.bandwidthShare?.median),
      ])
    }
    return table
  }

  public func latencyTable() -> TextTable {
    var table = TextTable(header: [
      "batch", "slot\nutilisation", "mean\nlatency s", "mean time to\nfirst token s", "inter-token\np50 ms",
      "inter-token\np99 ms",
    ])
    for row in rows {
      table.append([
        row.label, formattedPercent(row.slotUtilization), formatted(row.meanLatency),
        formatted(row.meanTimeToFirstToken), formatted(row.interTokenLatencyP50.map { $0 * 1000 }),
        formatted(row.interTokenLatencyP99.map { $0 * 1000 }),
      ])
    }
    return table
  }

  /// Extremes over the repetitions; nil when there is one run only.
  public func spreadTable() -> TextTable? {
    guard let repetitions = rows.map(\.runs.count).max(), repetitions > 1 else { return nil }
    func extremes(_ spread: Spread?) -> String {
      spread.map { "\(formatted($0.minimum)) ... \(formatted($0.maximum))" } ?? "-"
    }
    func percents(_ spread: Spread?) -> String {
      spread.map { "\(formattedPercent($0.minimum)) ... \(formattedPercent($0.maximum))" } ?? "-"
    }
    var table = TextTable(header: [
      "batch", "seconds", "tokens/s", "prefill tokens/s", "decode tokens/s", "share of bandwidth",
    ])
    for row in rows {
      table.append([
        row.label, extremes(row.seconds), extremes(row.tokensPerSecond), extremes(row.prefillTokensPerSecond),
        extremes(row.decodeTokensPerSecond), percents(row.bandwidthShare),
      ])
    }
    return table
  }

  /// What stands above the tables, a line each.
  public func headlines() -> [String] {
    var lines = notes
    let perStep = formattedBytes(weightBytesPerStep)
    lines.append(
      "\(requestCount) requests, \(grouped(promptTokens)) prompt tokens, "
        + "\(grouped(rows.first?.runs.first?.generatedTokens ?? 0)) generated; weights \(weightType), "
        + "\(perStep) read by each decode step" + (kvType == "f32" ? "" : "; keys and values \(kvType)"))
    if let bandwidth {
      lines.append(
        "memory read by the same threads in this run: median \(formattedBandwidth(bandwidth.median)), "
          + "best \(formattedBandwidth(bandwidth.best))")
    }
    if let baseline, baseline.batchSize != 1 {
      lines.append("speed-ups and the ideal are against batch size \(baseline.batchSize)")
    }
    if let repetitions = rows.first?.runs.count, repetitions > 1 {
      lines.append("medians of \(repetitions) repetitions, batch sizes interleaved")
    }
    return lines
  }

  /// Whether the batch changed an answer, in words.
  public var verdict: String {
    tokensIdentical
      ? "every request got the same tokens in every run: the batch does not change the answer"
      : "TOKENS DIFFER between runs: the batch changed an answer"
  }
}

extension BenchmarkReport {
  /// One line for each batch size of each workload, under a header.
  public func commaSeparatedValues() -> String {
    let header = [
      "workload", "weights", "kv_type", "instruction_set", "threads", "requests", "batch", "admission",
      "repetitions",
      "seconds", "tokens_per_second", "speed_up", "prefill_tokens_per_second", "decode_tokens_per_second",
      "decode_speed_up", "decode_ideal", "decode_bandwidth_ideal", "bandwidth_share",
      "bandwidth_gb_per_second",
      "slot_utilization", "mean_latency_s", "mean_ttft_s", "itl_p50_ms", "itl_p99_ms", "tokens_identical",
    ]
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    var lines = [commaSeparated(header)]
    for workload in workloads {
      for row in workload.rows {
        lines.append(
          commaSeparated(
            [
              workload.name, workload.weightType, workload.kvType, machine.instructionSet,
              "\(machine.threads)",
              "\(workload.requestCount)", "\(row.batchSize)", row.isStatic ? "static" : "continuous",
              "\(row.runs.count)",
            ]
              + [
                row.seconds.median, row.tokensPerSecond.median, workload.speedUp(row),
                row.prefillTokensPerSecond?.median, row.decodeTokensPerSecond?.median,
                workload.decodeSpeedUp(row), workload.idealDecodeRate(batchSize: row.batchSize),
                row.bandwidthIdealDecodeRate, row.bandwidthShare?.median,
                workload.bandwidth.map { $0.median * 1e-9 }, row.slotUtilization, row.meanLatency,
                row.meanTimeToFirstToken, row.interTokenLatencyP50.map { $0 * 1000 },
                row.interTokenLatencyP99.map { $0 * 1000 },
              ].map(number) + ["\(workload.tokensIdentical)"]))
      }
    }
    return lines.joined(separator: "\n")
  }

  /// All tables in GitHub-flavoured Markdown.
  public func markdown() -> String {
    var parts = [machine.line]
    for workload in workloads {
      parts.append("## \(workload.title)")
      parts.append(workload.headlines().map { "- \($0)" }.joined(separator: "\n"))
      let tables = [workload.throughputTable(), workload.latencyTable()]
      parts += (tables + [workload.spreadTable()].compactMap { $0 }).map { $0.markdown() }
      parts.append(workload.verdict)
    }
    return parts.joined(separator: "\n\n")
  }
}

extension BenchmarkReport.Machine {
  /// Processor, instruction set and threads in one line.
  public var line: String {
    "\(processor), \(instructionSet), \(threads) thread\(threads == 1 ? "" : "s") (\(threadsReason))"
  }
}
