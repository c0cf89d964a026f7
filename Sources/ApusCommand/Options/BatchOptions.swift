import ApusEngine
import ApusModel
import ArgumentParser

/// How many sequences run together, and how long they may be.
struct BatchOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Sequences decoded together.")
  var batchSize = 8

  @Option(parsing: .unconditional, help: "Prompt tokens of one step at most, over all prompts.")
  var prefillStep = 128

  @Option(
    parsing: .unconditional,
    help: "Tokens of a prompt and its continuation together, at most. (default: the model's context)")
  var maxSequenceLength: Int?

  /// Sizes of a session for `requests`: no more slots, positions and rows than they can use.
  struct Sizes: Equatable {
    var slotCount: Int
    var contextLength: Int
    var prefillStep: Int
  }

  func sizes(for requests: [GenerationRequest], modelContextLength: Int) throws(CommandFailure) -> Sizes {
    try check("--batch-size", batchSize, 1...4096)
    try check("--prefill-step", prefillStep, 1...32768)
    if let maxSequenceLength { try check("--max-sequence-length", maxSequenceLength, 1...modelContextLength) }
    let longest = requests.map { request in
      request.promptTokens.count.saturatingAdd(request.sampling.maxTokens ?? modelContextLength)
    }
    let promptTokens = requests.reduce(0) { $0 + $1.promptTokens.count }
    return Sizes(
      slotCount: max(1, min(batchSize, requests.count)),
      contextLength: max(1, min(maxSequenceLength ?? modelContextLength, longest.max() ?? 1)),
      prefillStep: max(1, min(prefillStep, promptTokens)))
  }
}

func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(CommandFailure) {
  guard range.contains(value) else {
    throw CommandFailure("\(name) is \(value); expected \(range.lowerBound)...\(range.upperBound)")
  }
}

extension Int {
  /// The sum, or the largest number where it does not fit. Both are not negative.
  func saturatingAdd(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The product, or the largest number where it does not fit. Both are not negative.
  func saturatingMultiply(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
