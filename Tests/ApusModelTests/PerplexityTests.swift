import ApusKernels
import ApusModel
import ApusStories
import ApusTokenizer
import Foundation
import TestSupport
import Testing

/// A text's likelihoods against Hugging Face transformers in float32, and what must hold for any model.
@Suite struct PerplexityTests {
  private struct Reference: Decodable {
    struct Case: Decodable {
      let context, stride: Int
      let meanNLL, standardError, perplexity: Double
    }
    struct Detailed: Decodable {
      let context, stride: Int
      let negativeLogLikelihoods: [Double]
    }
    let tokenCount: Int
    let cases: [Case]
    let detailed: Detailed
  }

  private static let folder = ReferenceFixture.folder.appending(path: "perplexity")

  /// The embedded model's session and the tokens of the fixture's text.
  private func stories(
    slotCount: Int = 3, rowsPerStepMax: Int = 100, threadCount: Int = 1
  ) throws -> (session: TransformerSession, tokens: [Int32]) {
    let model = try ApusStories.modelDirectory()
    let context = try KernelContext(threadCount: threadCount, precise: true)
    let weights = try PackedWeights(directory: model, type: .f32, context: context)
    let session = try TransformerSession(
      weights, context: context, slotCount: slotCount, rowsPerStepMax: rowsPerStepMax)
    let text = try String(contentsOf: Self.folder.appending(path: "text.txt"), encoding: .utf8)
    return (session, try Tokenizer(folder: model).encode(text))
  }

  private func windows(_ tokenCount: Int, _ context: Int, _ stride: Int? = nil) throws -> ScoringWindows {
    try ScoringWindows(
      tokenCount: tokenCount, contextLength: context, stride: stride, contextLengthMax: 512)
  }

  @Test func givesTransformersLikelihoods() throws {
    let reference = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: Self.folder.appending(path: "likelihoods.json")))
    let (session, tokens) = try stories()
    #expect(tokens.count == reference.tokenCount)
    let evaluator = PerplexityEvaluator([session], kernels: session.context)
    for test in reference.cases {
      let found = try evaluator.evaluate(tokens, in: windows(tokens.count, test.context, test.stride))[0]
      let mean = found.meanNegativeLogLikelihood
      #expect(abs(mean.value - test.meanNLL) < 2e-6)
      #expect(abs(try #require(mean.standardError) - test.standardError) < 2e-6)
      #expect(abs(found.perplexity.value / test.perplexity - 1) < 2e-6)
      let error = try #require(found.perplexity.standardError)
      #expect(abs(error / (test.perplexity * test.standardError) - 1) < 2e-5)
    }
    let detailed = reference.detailed
    let found = try evaluator.evaluate(tokens, in: windows(tokens.count, detailed.context, detailed.stride))
    try #require(found[0].negativeLogLikelihoods.count == detailed.negativeLogLikelihoods.count)
    for (value, expected) in zip(found[0].negativeLogLikelihoods, detailed.negativeLogLikelihoods) {
      // Logits differ by some 1e-5, whatever the likelihood.
      #expect(abs(value - expected) < 5e-5)
    }
  }

  @Test func givesTheSameBitsForAnySlotsRowsAndThreads() throws {
    var found: Set<[UInt64]> = []
    for (slotCount, rows, threads) in [(1, 1, 1), (1, 400, 2), (3, 7, 2), (16, 128, 1)] {
      let (session, tokens) = try stories(
        slotCount: slotCount, rowsPerStepMax: max(slotCount, rows), threadCount: threads)
      let result = try PerplexityEvaluator([session], kernels: session.context)
        .evaluate(Array(tokens.prefix(120)), in: windows(120, 50, 15))[0]
      found.insert(result.negativeLogLikelihoods.map(\.bitPattern))
    }
    #expect(found.count == 1)
  }

  @Test func comparesLogitsAsTheFormulasSay() throws {
    let fixture = try ReferenceFixture("qwen2-tied")
    let context = try KernelContext(threadCount: 1, precise: true)
    let tokens = (0..<40).map { Int32($0 * 7 % fixture.configuration.vocab_size) }
    let sessions = try [WeightType.f32, .int4].map { type in
      try TransformerSession(
        PackedWeights(directory: fixture.directory, type: type, context: context), context: context,
        slotCount: 2, contextLength: 64, rowsPerStepMax: 16)
    }
    let results = try PerplexityEvaluator(sessions, kernels: context)
      .evaluate(tokens, in: windows(tokens.count, 64))
    let first = try sessions[0].logits(of: tokens, chunks: [16]).dropLast()
    let second = try sessions[1].logits(of: tokens, chunks: [16]).dropLast()
    #expect(results[0].differences.isEmpty && results[0].comparison(with: results[0]) == nil)
    var expected = (kl: 0.0, squares: 0.0, norm: 0.0, sameTop: 0.0, logRatio: 0.0)
    for (index, (a, b)) in zip(first, second).enumerated() {
      let (p, q) = (logSoftmax(a), logSoftmax(b))
      expected.kl += zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
      expected.squares += zip(a, b).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
      expected.norm += a.reduce(0) { $0 + Double($1) * Double($1) }
      expected.sameTop += a.argmax == b.argmax ? 1 : 0
      let target = Int(tokens[index + 1])
      expected.logRatio += p[target] - q[target]
      #expect(abs(results[1].negativeLogLikelihoods[index] + q[target]) < 1e-6)
    }
    let found = try #require(results[1].comparison(with: results[0]))
    let count = Double(tokens.count - 1)
    #expect(expected.kl / count > 1e-6, "the formats do not differ")
    #expect(abs(found.klDivergence.value - expected.kl / count) < 1e-6)
    #expect(abs(found.normalizedSquaredError / (expected.squares / expected.norm) - 1) < 1e-12)
    #expect(found.sameTopShare == expected.sameTop / count)
    #expect(abs(found.ratio.value - exp(expected.logRatio / count)) < 1e-6)
  }

  private func logSoftmax(_ logits: [Float]) -> [Double] {
    let total = log(logits.reduce(0) { $0 + exp(Double($1)) })
    return logits.map { Double($0) - total }
  }

  @Test func findsNoDifferenceBetweenAModelAndItself() throws {
    let kernels = try KernelContext(threadCount: 1)
    let tokens = (0..<30).map { Int32($0) }
    let results = try PerplexityEvaluator([FakeStepModel(), FakeStepModel()], kernels: kernels)
      .evaluate(tokens, in: windows(30, 12))
    #expect(results[0].negativeLogLikelihoods == results[1].negativeLogLikelihoods)
    let found = try #require(results[1].comparison(with: results[0]))
    #expect(found.ratio.value == 1 && found.ratio.standardError == 0)
    #expect(found.klDivergence.value == 0 && found.normalizedSquaredError == 0 && found.sameTopShare == 1)
  }

  @Test func keepsTheModelsContract() throws {
    let model = FakeStepModel(slotCount: 3, contextLength: 20, rowsPerStepMax: 8)
    let kernels = try KernelContext(threadCount: 1)
    let evaluator = PerplexityEvaluator([model], kernels: kernels)
    for (count, context, stride) in [(2, 20, 7), (20, 20, 19), (21, 20, 1), (61, 13, 5), (50, 2, 1)] {
      let tokens = (0..<count).map { Int32($0) }
      var shares: [Double] = []
      let result = try evaluator.evaluate(tokens, in: windows(count, context, stride)) { shares.append($0) }[
        0]
      #expect(result.negativeLogLikelihoods.allSatisfy { $0 > 0 })
      #expect(shares == shares.sorted() && shares.last == 1)
    }
    #expect(model.violations == [])
    // Row 11 of the window that begins at 10.
    model.isPoisoned = { $0.count == 12 && $0[11] == 21 }
    #expect(throws: PerplexityError.invalidLogits(position: 22)) {
      try evaluator.evaluate((0..<40).map { Int32($0) }, in: windows(40, 20, 10))
    }
    #expect(model.violations == [])
  }

  @Test func refusesATokenOutsideTheVocabulary() throws {
    let evaluator = PerplexityEvaluator([FakeStepModel()], kernels: try KernelContext(threadCount: 1))
    for id in [Int32(61), -1] {
      #expect(throws: PerplexityError.token(id, position: 2, vocabularySize: 61)) {
        try evaluator.evaluate([1, 2, id], in: windows(3, 3))
      }
    }
  }
}
