/// What a draw depends on beside the row of logits and the parameters.
package struct SamplingContext {
  /// The prompt and what was generated so far, all of the vocabulary.
  package var tokens: UnsafeBufferPointer<Int32>
  /// How many of `tokens` are the prompt's.
  package var promptCount: Int
  /// Every token that ends the request: what `minTokens` holds back. Those outside the vocabulary never come.
  package var stopTokenIDs: [Int32]
  /// Words of a `TokenMask` over the vocabulary; nil allows all.
  package var mask: UnsafePointer<UInt32>?

  package init(
    tokens: UnsafeBufferPointer<Int32>, promptCount: Int, stopTokenIDs: [Int32] = [],
    mask: UnsafePointer<UInt32>? = nil
  ) {
    self.tokens = tokens
    self.promptCount = promptCount
    self.stopTokenIDs = stopTokenIDs
    self.mask = mask
  }

  /// Nothing came before and nothing is held back.
  package static var empty: SamplingContext {
    SamplingContext(tokens: UnsafeBufferPointer(start: nil, count: 0), promptCount: 0)
  }

  var generatedCount: Int { tokens.count - promptCount }
}

/// Turns the model's logits into those a request draws from: masks, biases and penalties, steps 1 to 3 of
/// `SamplingParameters`. Owns scratch for one row; not thread-safe.
final class LogitsProcessor {
  /// `[V]`, all 0 between calls.
  private let counts: UnsafeMutableBufferPointer<UInt32>

  init(vocabularySize: Int) {
    counts = .allocate(capacity: vocabularySize)
    counts.initialize(repeating: 0)
  }

  deinit { counts.deallocate() }

  /// Whether `process` would change any row: where not, it costs nothing to ask.
  static func isNeeded(_ parameters: SamplingParameters, _ context: SamplingContext) -> Bool {
    context.mask != nil || parameters.allowedTokenIDs != nil || !parameters.logitBias.isEmpty
      || parameters.penalizes || context.generatedCount < parameters.minTokens
  }

  /// Overwrites `row`, `[V]`, which holds neither NaN nor +infinity; it will hold neither.
  func process(
    _ row: UnsafeMutableBufferPointer<Float>, _ parameters: SamplingParameters, _ context: SamplingContext
  ) {
    precondition(row.count == counts.count, "\(row.count) logits, expected \(counts.count)")
    precondition(
      (0...context.tokens.count).contains(context.promptCount), "\(context.promptCount) of a prompt")
    if let allowed = parameters.allowedTokenIDs { keep(allowed, of: row) }
    if let mask = context.mask { keep(mask, of: row) }
    if context.generatedCount < parameters.minTokens {
      for token in context.stopTokenIDs where row.indices.contains(Int(token)) {
        row[Int(token)] = -.infinity
      }
    }
    for (token, bias) in parameters.logitBias { row[index(token)] += bias }
    if parameters.penalizes { penalize(row, parameters, context) }
  }

  private func index(_ token: Int32) -> Int {
    precondition(token >= 0 && Int(token) < counts.count, "token \(token) of \(counts.count)")
    return Int(token)
  }

  private func keep(_ allowed: [Int32], of row: UnsafeMutableBufferPointer<Float>) {
    for token in allowed { counts[index(token)] = 1 }
    for index in row.indices {
      if counts[index] == 0 { row[index] = -.infinity }
      counts[index] = 0
    }
  }

  private func keep(_ mask: UnsafePointer<UInt32>, of row: UnsafeMutableBufferPointer<Float>) {
    for first in stride(from: 0, to: row.count, by: 32) {
      var forbidden = ~mask[first / 32]
      if row.count - first < 32 { forbidden &= 1 << UInt32(row.count - first) - 1 }
      while forbidden != 0 {
        row[first + forbidden.trailingZeroBitCount] = -.infinity
        forbidden &= forbidden - 1
      }
    }
  }

  /// Each token is penalized where it is met first on the second walk, which leaves its count 0 again. So the
  /// cost grows with the history, not with the vocabulary.
  private func penalize(
    _ row: UnsafeMutableBufferPointer<Float>, _ parameters: SamplingParameters, _ context: SamplingContext
  ) {
    let first = parameters.repetitionPenalty == 1 ? context.promptCount : 0
    // Bit 0: the token occurs. The others: how often it was generated.
    for position in first..<context.tokens.count {
      let token = index(context.tokens[position])
      counts[token] = (counts[token] &+ (position < context.promptCount ? 0 : 2)) | 1
    }
    for position in first..<context.tokens.count {
      let token = Int(context.tokens[position])
      let count = counts[token]
      guard count != 0 else { continue }
      counts[token] = 0
      guard row[token].isFinite else { continue }
      row[token] = parameters.penalized(row[token], generatedCount: Int(count >> 1))
    }
  }
}

extension SamplingParameters {
  fileprivate var penalizes: Bool { repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0 }

  /// The logit of a token that occurs, clamped: no penalty forbids a token, nor makes the row invalid.
  fileprivate func penalized(_ logit: Float, generatedCount: Int) -> Float {
    var logit = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
    if generatedCount > 0 { logit -= frequencyPenalty * Float(generatedCount) + presencePenalty }
    return min(max(logit, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
  }
}
