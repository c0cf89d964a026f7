import Foundation

/// What a set of measured values comes to, as NumPy's `mean`, `median`, `std` and `percentile` have it. All
/// are 0 where there are none, as in vLLM's tool.
struct SampleSummary: Sendable, Equatable {
  private let sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  var mean: Double { sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count) }

  var median: Double { percentile(50) }

  /// Of the values themselves, not of a population they were drawn from.
  var standardDeviation: Double {
    guard !sorted.isEmpty else { return 0 }
    let mean = mean
    return (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sorted.count)).squareRoot()
  }

  /// The value that `percent` of a hundred lie below, on the line between the two nearest.
  func percentile(_ percent: Double) -> Double {
    guard let last = sorted.last else { return 0 }
    let position = percent / 100 * Double(sorted.count - 1)
    let index = Int(position)
    guard index + 1 < sorted.count else { return last }
    return sorted[index] + (position - Double(index)) * (sorted[index + 1] - sorted[index])
  }
}
