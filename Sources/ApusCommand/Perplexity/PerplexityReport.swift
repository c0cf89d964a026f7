import ApusKernels
import ApusModel
import ApusServer
import Foundation

/// What `apus perplexity` found, for a person and for a program.
struct PerplexityReport {
  struct Format {
    var weights: PackedWeights
    var result: PerplexityResult
  }

  var path: String
  var windows: ScoringWindows
  var context: KernelContext
  /// The first is what the others are compared with.
  var formats: [Format]

  /// A heading and a table with a line for each format.
  var text: String {
    let count = windows.windows.count
    let heading =
      "\(path): \(windows.tokenCount.grouped) tokens, \((windows.tokenCount - 1).grouped) scored, "
      + "\(count.grouped) \(count == 1 ? "window" : "windows") of \(windows.contextLength), "
      + "stride \(windows.stride); \(context.instructionSet.rawValue), "
      + "\(context.threadCount) \(context.threadCount == 1 ? "thread" : "threads")"
    var rows = [["weights", "size", "perplexity", "mean NLL", "tokens/s"]]
    if formats.count > 1 { rows[0] += ["ratio", "KL divergence", "NMSE", "same top"] }
    for format in formats {
      let result = format.result
      rows.append([
        format.weights.typeNames, format.weights.byteCount.asBytes,
        result.perplexity.text(decimals: 4), result.meanNegativeLogLikelihood.text(decimals: 5),
        String(format: "%.0f", result.tokensPerSecond),
      ])
      if formats.count > 1 { rows[rows.count - 1] += cells(of: comparison(of: format)) }
    }
    return heading.asOneLine + "\n\n" + aligned(rows)
  }

  private func comparison(of format: Format) -> PerplexityComparison? {
    formats.first.flatMap { format.result.comparison(with: $0.result) }
  }

  private func cells(of comparison: PerplexityComparison?) -> [String] {
    guard let comparison else { return ["1", "-", "-", "-"] }
    return [
      comparison.ratio.text(decimals: 4), String(format: "%.2e", comparison.klDivergence.value),
      String(format: "%.2e", comparison.normalizedSquaredError),
      String(format: "%.2f %%", comparison.sameTopShare * 100),
    ]
  }

  /// Columns under each other, the first to the left.
  private func aligned(_ rows: [[String]]) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}

extension SampleMean {
  /// As in "1.1460 ± 0.0123".
  fileprivate func text(decimals: Int) -> String {
    let format = "%.\(decimals)f"
    let error = standardError.map { " ± " + String(format: format, $0) } ?? ""
    return String(format: format, value) + error
  }
}

// MARK: - For a program

extension PerplexityReport {
  var json: JSONText {
    [
      "path": .string(path),
      "tokens": .integer(windows.tokenCount),
      "scored_tokens": .integer(windows.tokenCount - 1),
      "windows": .integer(windows.windows.count),
      "context": .integer(windows.contextLength),
      "stride": .integer(windows.stride),
      "instruction_set": .string(context.instructionSet.rawValue),
      "threads": .integer(context.threadCount),
      "results": .array(formats.map(json)),
    ]
  }

  private func json(of format: Format) -> JSONText {
    let result = format.result
    let likelihood = result.meanNegativeLogLikelihood
    let perplexity = result.perplexity
    return [
      "weights": .string(format.weights.typeNames),
      "weights_bytes": .integer(format.weights.byteCount),
      "perplexity": .double(perplexity.value),
      "perplexity_standard_error": .optional(perplexity.standardError) { .double($0) },
      "mean_nll": .double(likelihood.value),
      "mean_nll_standard_error": .optional(likelihood.standardError) { .double($0) },
      "tokens_run": .integer(result.rowCount),
      "seconds": .double(result.duration / .seconds(1)),
      "tokens_per_second": .double(result.tokensPerSecond),
      "against_first": .optional(comparison(of: format)) { comparison in
        [
          "perplexity_ratio": .double(comparison.ratio.value),
          "perplexity_ratio_standard_error": .optional(comparison.ratio.standardError) { .double($0) },
          "mean_kl_divergence": .double(comparison.klDivergence.value),
          "mean_kl_divergence_standard_error": .optional(comparison.klDivergence.standardError) {
            .double($0)
          },
          "nmse": .double(comparison.normalizedSquaredError),
          "same_top_share": .double(comparison.sameTopShare),
        ]
      },
    ]
  }
}
