import ApusEngine
import ApusKernels
import Foundation
import TestSupport
import Testing

struct LogitsProcessorTests {
  /// One request of `Fixtures/logits.json`; null stands for -infinity.
  struct Case: Decodable {
    let logits, expected: [Float?]
    let prompt, generated, stop: [Int32]
    let allowed, mask: [Int32]?
    let min_tokens: Int
    let logit_bias: [String: Float]
    let repetition_penalty, presence_penalty, frequency_penalty: Float

    var parameters: SamplingParameters {
      var bias: [Int32: Float] = [:]
      for (token, value) in logit_bias { bias[Int32(token)!] = value }
      return SamplingParameters(
        temperature: 0, minTokens: min_tokens, logitBias: bias, repetitionPenalty: repetition_penalty,
        presencePenalty: presence_penalty, frequencyPenalty: frequency_penalty, allowedTokenIDs: allowed)
    }
  }

  private struct Cases: Decodable { let cases: [Case] }

  private let kernels: KernelContext

  init() throws { kernels = try KernelContext(threadCount: 1) }

  private func cases() throws -> [Case] {
    let file = try #require(Bundle.module.url(forResource: "Fixtures/logits", withExtension: "json"))
    return try JSONDecoder().decode(Cases.self, from: Data(contentsOf: file)).cases
  }

  /// Runs the sampler; the row is then what it drew from, unless logprobs were asked for.
  private func sample(
    _ row: inout [Float], _ parameters: SamplingParameters, prompt: [Int32] = [], generated: [Int32] = [],
    stop: [Int32] = [], mask: [Int32]? = nil, by sampler: Sampler? = nil
  ) throws(SamplingFailure) -> Sampler.Sample {
    let sampler = sampler ?? Sampler(vocabularySize: row.count, kernels: kernels)
    let mask = mask.map { allowed in
      var mask = TokenMask(vocabularySize: row.count)
      for token in allowed { mask[token] = true }
      return mask
    }
    let tokens = prompt + generated
    var outcome: Result<Sampler.Sample, SamplingFailure>!
    row.withUnsafeMutableBufferPointer { row in
      tokens.withUnsafeBufferPointer { tokens in
        (mask?.words ?? []).withUnsafeBufferPointer { words in
          let context = SamplingContext(
            tokens: tokens, promptCount: prompt.count, stopTokenIDs: stop,
            mask: mask == nil ? nil : words.baseAddress)
          outcome = Result { () throws(SamplingFailure) in
            try sampler.sample(row, parameters: parameters, seed: 1, position: tokens.count, context: context)
          }
        }
      }
    }
    return try outcome.get()
  }

  private func sample(_ given: Case, by sampler: Sampler? = nil) throws -> (row: [Float], Sampler.Sample) {
    var row = given.logits.map { $0 ?? -.infinity }
    let drawn = try sample(
      &row, given.parameters, prompt: given.prompt, generated: given.generated, stop: given.stop,
      mask: given.mask, by: sampler)
    return (row, drawn)
  }

  @Test func givesTheLogitsOfTransformersAndNumPy() throws {
    let cases = try cases()
    #expect(cases.count == 96)
    for (index, given) in cases.enumerated() {
      let (row, drawn) = try sample(given)
      for (token, expected) in given.expected.enumerated() {
        guard let expected else {
          #expect(row[token] == -.infinity, "case \(index), token \(token)")
          continue
        }
        // Terms that cancel leave the rounding of the largest of them.
        let bias = abs(given.logit_bias["\(token)"] ?? 0)
        let scale = max(abs(expected), abs(given.logits[token] ?? 0), bias)
        #expect(abs(row[token] - expected) <= 1e-6 * scale, "case \(index), token \(token)")
      }
      let largest = given.expected.compactMap { $0 }.max()!
      #expect(row[Int(drawn.token)] >= largest - 1e-6 * max(abs(largest), 100), "case \(index)")
    }
  }

  @Test func keepsNothingFromTheRowBefore() throws {
    let wide = try cases().filter { $0.logits.count == 128 }
    let sampler = Sampler(vocabularySize: 128, kernels: kernels)
    #expect(wide.count > 5)
    for given in wide + wide {
      let (again, alone) = (try sample(given, by: sampler).row, try sample(given).row)
      #expect(again == alone)
    }
  }

  @Test func leavesTheRowAloneWhereNothingIsAskedFor() throws {
    var random = SplitMix64(seed: 3)
    let logits = (0..<300).map { _ in Float.random(in: -9...9, using: &random) }
    for parameters in [
      SamplingParameters.greedy(), SamplingParameters(topK: 9, topP: 0.9, logprobs: 3),
      SamplingParameters(minTokens: 2),
    ] {
      var row = logits
      let drawn = try sample(&row, parameters, prompt: [1, 2], generated: [5, 5], stop: [7])
      #expect(row == logits)
      let sampler = Sampler(vocabularySize: 300, kernels: kernels)
      let plain = logits.withUnsafeBufferPointer {
        sampler.sample($0, parameters: parameters, seed: 1, position: 4)
      }
      #expect(plain == drawn)
    }
  }

  @Test func drawsFromTheProcessedRowAndReportsTheModelsOwnLogprobs() throws {
    var random = SplitMix64(seed: 4)
    for count in [40, 700] {
      let logits = (0..<count).map { _ in Float.random(in: -4...4, using: &random) }
      let logSum = log(logits.reduce(0) { $0 + exp(Double($1)) })
      let ordered = logits.indices.sorted { logits[$0] > logits[$1] }
      let parameters = SamplingParameters(
        temperature: 0.7, topP: 0.9, logprobs: 4, logitBias: [Int32(ordered[9]): 90], repetitionPenalty: 3)
      var row = logits
      let mask = ordered.dropFirst(5).map { Int32($0) }
      let drawn = try sample(&row, parameters, prompt: [0, 1], mask: mask)
      #expect(drawn.token == Int32(ordered[9]))
      let logprobs = try #require(drawn.logprobs)
      #expect(logprobs.top.map(\.id) == ordered.prefix(4).map { Int32($0) })
      for (token, logprob) in [(ordered[9], logprobs.chosen)] + logprobs.top.map({ (Int($0.id), $0.logprob) })
      {
        #expect(abs(Double(logprob) - (Double(logits[token]) - logSum)) <= 2e-6)
      }
    }
  }

  @Test func drawsOnlyWhatMayCome() throws {
    var random = SplitMix64(seed: 6)
    for round in 0..<100 {
      var row = (0..<70).map { _ in Float.random(in: -3...3, using: &random) }
      let allowed = (0..<70).filter { _ in Bool.random(using: &random) }.map { Int32($0) }
      let mask = (0..<70).filter { _ in Bool.random(using: &random) }.map { Int32($0) }
      let parameters = SamplingParameters(
        temperature: 4, logprobs: round % 2 == 0 ? 0 : nil, minTokens: 1, allowedTokenIDs: allowed + allowed)
      let stop = Int32(round % 70)
      let drawn = try sample(&row, parameters, prompt: [1], stop: [stop, 4000], mask: mask)
      #expect(allowed.contains(drawn.token) && mask.contains(drawn.token) && drawn.token != stop)
    }
  }

  @Test func holdsStopTokensBackUntilMinTokensAreGenerated() throws {
    let parameters = SamplingParameters(temperature: 0, minTokens: 2)
    for (generated, expected) in [([], 1), ([3], 1), ([3, 3], 2)] as [([Int32], Int32)] {
      var row: [Float] = [0, 5, 9, 8]
      let drawn = try sample(&row, parameters, prompt: [2, 2, 2], generated: generated, stop: [2, 3])
      #expect(drawn.token == expected)
    }
  }

  @Test func tellsInvalidLogitsFromNothingAllowed() throws {
    let disjoint = SamplingParameters(allowedTokenIDs: [0, 1])
    for logits in [[Float.nan, 1, 2], [1, 2, .infinity], [-.infinity, -.infinity, -.infinity]] as [[Float]] {
      for parameters in [SamplingParameters(), disjoint] {
        var row = logits
        #expect(throws: SamplingFailure.invalidLogits) { try sample(&row, parameters, mask: [2]) }
      }
    }
    for parameters in [disjoint, SamplingParameters(temperature: 0, logprobs: 2, allowedTokenIDs: [0, 1])] {
      var row: [Float] = [1, 2, 3]
      #expect(throws: SamplingFailure.nothingAllowed) { try sample(&row, parameters, mask: [2]) }
    }
    // What may come has no probability.
    var row: [Float] = [-.infinity, -.infinity, 3]
    #expect(throws: SamplingFailure.nothingAllowed) { try sample(&row, disjoint) }
    var ends: [Float] = [1, 2, 3]
    let mustGoOn = SamplingParameters(minTokens: 1, allowedTokenIDs: [1])
    #expect(throws: SamplingFailure.nothingAllowed) { try sample(&ends, mustGoOn, stop: [1]) }
  }

  @Test func noPenaltyForbidsATokenOrMakesTheRowInvalid() throws {
    for penalty in [Float.leastNonzeroMagnitude, .greatestFiniteMagnitude] {
      var row: [Float] = [3e38, -3e38, 0, -.infinity]
      let parameters = SamplingParameters(
        repetitionPenalty: penalty, presencePenalty: 2, frequencyPenalty: 2)
      _ = try sample(&row, parameters, prompt: [0, 1, 2, 3], generated: [0, 1, 2, 3])
      #expect(row.prefix(3).filter(\.isFinite).count == 3)
      #expect(row[3] == -.infinity)
    }
  }

  @Test func logprobsOfAGivenTokenAreTheModelsOwn() throws {
    var random = SplitMix64(seed: 8)
    for count in [1, 7, 900] {
      let sampler = Sampler(vocabularySize: count, kernels: kernels)
      let logits = (0..<count).map { _ in Float.random(in: -7...7, using: &random) }
      let logSum = log(logits.reduce(0) { $0 + exp(Double($1)) })
      for topCount in [0, 3, 20] {
        let token = Int32.random(in: 0..<Int32(count), using: &random)
        let logprobs = logits.withUnsafeBufferPointer {
          sampler.logprobs(of: token, in: $0, topCount: topCount)
        }
        let found = try #require(logprobs)
        #expect(abs(Double(found.chosen) - (Double(logits[Int(token)]) - logSum)) <= 2e-6)
        let ordered = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(topCount)
        #expect(found.top.map { Int($0.id) } == Array(ordered))
        for top in found.top {
          #expect(abs(Double(top.logprob) - (Double(logits[Int(top.id)]) - logSum)) <= 2e-6)
        }
      }
      let invalid = [Float](repeating: .nan, count: count)
      #expect(invalid.withUnsafeBufferPointer { sampler.logprobs(of: 0, in: $0, topCount: 1) } == nil)
    }
  }
}
