public import ApusKernels

/// Runs a text's windows through one or several models, several windows in each step, and scores every token.
///
/// Likelihoods are the same bits for any number of slots, rows a step and threads. Models run in lockstep: each step
/// in the first, then in the others, so that their logits can be compared without being kept. Not thread-safe.
public final class PerplexityEvaluator {
  private let models: [any StepModel]
  private let vocabularySize: Int
  private let slotCount: Int
  private let rowsPerStepMax: Int
  private let softmax: LogSoftmax
  /// The first model's logits of a step, where there are others: `[rowsPerStepMax, vocabularySize]`.
  private let firstLogits: UnsafeMutableBufferPointer<Float>

  /// - Parameters:
  ///   - models: at least one, all of one vocabulary, nothing in their slots.
  ///   - kernels: run the passes over rows of logits.
  public init(_ models: [any StepModel], kernels: KernelContext) {
    precondition(!models.isEmpty, "no model")
    vocabularySize = models[0].vocabularySize
    precondition(models.allSatisfy { $0.vocabularySize == models[0].vocabularySize }, "vocabularies differ")
    self.models = models
    slotCount = models.map(\.slotCount).min() ?? 0
    rowsPerStepMax = models.map(\.rowsPerStepMax).min() ?? 0
    softmax = LogSoftmax(vocabularySize: vocabularySize, kernels: kernels)
    firstLogits = .allocate(capacity: models.count > 1 ? rowsPerStepMax * vocabularySize : 0)
    firstLogits.initialize(repeating: 0)
  }

  deinit { firstLogits.deallocate() }

  /// Scores every token but the first.
  ///
  /// - Parameters:
  ///   - tokens: the text, `[windows.tokenCount]`.
  ///   - windows: none longer than a model's context.
  ///   - progress: called after each step with the share done, in 0...1.
  /// - Returns: what each model gave, in their order.
  public func evaluate(
    _ tokens: [Int32], in windows: ScoringWindows, progress: (Double) -> Void = { _ in }
  ) throws(PerplexityError) -> [PerplexityResult] {
    precondition(
      tokens.count == windows.tokenCount, "\(tokens.count) tokens, \(windows.tokenCount) in windows")
    if let position = tokens.firstIndex(where: { $0 < 0 || Int($0) >= vocabularySize }) {
      throw .token(tokens[position], position: position, vocabularySize: vocabularySize)
    }
    let longest = windows.windows.map(\.rowCount).max() ?? 0
    for model in models where longest > model.contextLength {
      throw .contextLength(longest + 1, maximum: model.contextLength + 1)
    }
    let total = Double(windows.rowCount)
    var scores = models.indices.map { ModelScores(tokenCount: tokens.count, isCompared: $0 > 0) }
    for start in Swift.stride(from: 0, to: windows.windows.count, by: slotCount) {
      let group = windows.windows[start..<min(start + slotCount, windows.windows.count)]
      var cursors = group.enumerated().map { WindowCursor($1, slot: $0) }
      while cursors.contains(where: { !$0.isDone }) {
        let step = ScoringStep(&cursors, rowsMax: rowsPerStepMax, tokens: tokens)
        try run(step, tokens, &scores)
        progress(Double(scores[0].rowCount) / total)
      }
    }
    return scores.map(\.result)
  }

  /// One step in every model.
  private func run(
    _ step: ScoringStep, _ tokens: [Int32], _ scores: inout [ModelScores]
  ) throws(PerplexityError) {
    let clock = ContinuousClock()
    var normalizers: [LogNormalizer] = []
    for (index, model) in models.enumerated() {
      let start = clock.now
      let failure: PerplexityError? = model.forward(step.batch) { logits in
        var own: [LogNormalizer] = []
        for (row, position) in step.targets.enumerated() {
          let values = self.row(row, of: logits)
          guard let normalizer = softmax.normalizer(values) else { return .invalidLogits(position: position) }
          let likelihood = normalizer.logSumOfExponentials - Double(values[Int(tokens[position])])
          guard likelihood.isFinite else { return .invalidLogits(position: position) }
          own.append(normalizer)
          scores[index].likelihoods[position - 1] = likelihood
        }
        scores[index].rowCount += step.batch.rowCount
        scores[index].duration += clock.now - start
        if index == 0 {
          normalizers = own
          keep(logits)
          return nil
        }
        return compare(logits, own, normalizers, step.targets, &scores[index].differences)
      }
      if let failure { throw failure }
    }
  }

  private func row(_ row: Int, of logits: UnsafeMutableBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: logits[row * vocabularySize..<(row + 1) * vocabularySize])
  }

  private func keep(_ logits: UnsafeMutableBufferPointer<Float>) {
    guard !firstLogits.isEmpty, !logits.isEmpty else { return }
    _ = firstLogits.update(fromContentsOf: logits)
  }

  private func compare(
    _ logits: UnsafeMutableBufferPointer<Float>, _ own: [LogNormalizer], _ first: [LogNormalizer],
    _ targets: [Int], _ differences: inout [LogitDifference]
  ) -> PerplexityError? {
    for (row, position) in targets.enumerated() {
      let difference = softmax.difference(
        self.row(row, of: logits), own[row], from: self.row(row, of: firstLogits), first[row])
      // A logit of -infinity is no trouble to a likelihood, but to a difference.
      guard difference.klDivergence.isFinite, difference.squaredError.isFinite else {
        return .invalidLogits(position: position)
      }
      differences[position - 1] = difference
    }
    return nil
  }
}

/// How far a window has come in its slot.
private struct WindowCursor {
  let window: ScoringWindow
  let slot: Int
  /// Rows that have run.
  var rowsRun = 0

  init(_ window: ScoringWindow, slot: Int) {
    self.window = window
    self.slot = slot
  }

  var isDone: Bool { rowsRun == window.rowCount }

  /// The first row, from the window's beginning, that predicts a scored token.
  private var firstScoringRow: Int { window.firstScored - 1 - window.tokens.lowerBound }

  /// Takes the next rows, `countMax` at most: all of them predict scored tokens, or none does.
  mutating func advance(countMax: Int) -> (rows: Range<Int>, isScoring: Bool) {
    let isScoring = rowsRun >= firstScoringRow
    let end = min(isScoring ? window.rowCount : firstScoringRow, rowsRun + countMax)
    defer { rowsRun = end }
    return (rowsRun..<end, isScoring)
  }
}

/// The next rows of all windows of a group.
private struct ScoringStep {
  var batch = RaggedBatch()
  /// For each row of logits, the position in the text of the token it predicts.
  var targets: [Int] = []

  init(_ cursors: inout [WindowCursor], rowsMax: Int, tokens: [Int32]) {
    let share = rowsMax / cursors.count { !$0.isDone }
    for index in cursors.indices where !cursors[index].isDone {
      let start = cursors[index].window.tokens.lowerBound
      let (rows, isScoring) = cursors[index].advance(countMax: share)
      let positions = start + rows.lowerBound..<start + rows.upperBound
      batch.append(
        slot: cursors[index].slot, position: rows.lowerBound, tokens: tokens[positions],
        logits: isScoring ? .all : .none)
      if isScoring { targets += positions.map { $0 + 1 } }
    }
  }
}

/// What one model has given so far.
private struct ModelScores {
  var likelihoods: [Double]
  var differences: [LogitDifference]
  var rowCount = 0
  var duration = Duration.zero

  init(tokenCount: Int, isCompared: Bool) {
    likelihoods = Array(repeating: .nan, count: tokenCount - 1)
    let none = LogitDifference(klDivergence: .nan, squaredError: .nan, squaredNorm: .nan, sameTop: false)
    differences = isCompared ? Array(repeating: none, count: tokenCount - 1) : []
  }

  var result: PerplexityResult {
    PerplexityResult(
      negativeLogLikelihoods: likelihoods, differences: differences, rowCount: rowCount, duration: duration)
  }
}
