import ApusEngine
import ApusKernels
import Foundation
import TestSupport
import Testing

struct SamplerTests {
  private let kernels: KernelContext

  init() throws { kernels = try KernelContext(threadCount: 1) }

  /// Tokens that remain, ascending, and the share of their mass up to and with each: by sorting the whole
  /// row and summing in doubles.
  private func oracle(_ logits: [Float], _ parameters: SamplingParameters) -> [(id: Int, end: Double)] {
    let ordered = zip(logits, logits.indices).sorted { $0.0 > $1.0 || ($0.0 == $1.0 && $0.1 < $1.1) }
      .map(\.1)
    let largest = logits[ordered[0]]
    func weight(_ id: Int) -> Double {
      exp((Double(logits[id]) - Double(largest)) / Double(parameters.temperature))
    }
    var kept = parameters.topK > 0 ? Array(ordered.prefix(parameters.topK)) : ordered
    if parameters.topP < 1 {
      let target = Double(parameters.topP) * kept.reduce(0) { $0 + weight($1) }
      var mass = 0.0
      kept = Array(
        kept.prefix { id in
          defer { mass += weight(id) }
          return mass < target
        })
    }
    kept = kept.filter { weight($0) >= Double(parameters.minP) }.sorted()
    let total = kept.reduce(0) { $0 + weight($1) }
    var sum = 0.0
    return kept.map { id in
      sum += weight(id)
      return (id, sum / total)
    }
  }

  private func row(_ count: Int, scale: Float, random: inout SplitMix64) -> [Float] {
    (0..<count).map { _ in Float.random(in: -scale...scale, using: &random) }
  }

  private func sample(
    _ logits: [Float], _ parameters: SamplingParameters, seed: UInt64 = 0, position: Int = 0
  ) -> Sampler.Sample? {
    let sampler = Sampler(vocabularySize: logits.count, kernels: kernels)
    return logits.withUnsafeBufferPointer {
      sampler.sample($0, parameters: parameters, seed: seed, position: position)
    }
  }

  @Test(arguments: InstructionSet.runnable, [1, 2, 3, 127, 128, 129, 500, 5000])
  func drawsWhatSortingTheWholeRowWouldDraw(isa: InstructionSet, count: Int) throws {
    var random = SplitMix64(seed: UInt64(count))
    let sampler = try Sampler(
      vocabularySize: count, kernels: KernelContext(instructionSet: isa, threadCount: 2))
    for round in 0..<(count > 1000 ? 12 : 60) {
      var logits = row(count, scale: [1, 4, 20].randomElement(using: &random)!, random: &random)
      // Ties, and tokens that are masked out.
      if round % 3 == 0 { logits = logits.map { ($0 * 2).rounded() / 2 } }
      if round % 4 == 0 { for index in 1..<max(count, 2) where index % 5 == 0 { logits[index] = -.infinity } }
      let parameters = SamplingParameters(
        temperature: [0.3, 1, 2.5].randomElement(using: &random)!,
        topK: [0, 1, 5, 40, count].randomElement(using: &random)!,
        topP: [0.05, 0.5, 0.9, 0.999, 1].randomElement(using: &random)!,
        minP: [0, 0, 0.02, 0.5, 1].randomElement(using: &random)!)
      let kept = oracle(logits, parameters)
      for position in 0..<8 {
        let drawn = logits.withUnsafeBufferPointer {
          sampler.sample($0, parameters: parameters, seed: 11, position: position)
        }
        // The draw must fall into the token's own part of the unit interval, but for the rounding of weights.
        let share = Philox.uniform(seed: 11, position: position)
        let index = kept.firstIndex { Int32($0.id) == drawn?.token }
        guard let index else {
          Issue.record("\(String(describing: drawn)) is not kept by \(parameters), round \(round)")
          continue
        }
        let begin = index == 0 ? 0 : kept[index - 1].end
        #expect(share >= begin - 2e-6 && share <= kept[index].end + 2e-6, "\(parameters), round \(round)")
      }
    }
  }

  @Test func greedyTakesTheLowestIdAmongTheLargest() {
    #expect(sample([0, 3, -1, 3], .greedy())?.token == 1)
    #expect(sample([-0.0, 0.0], .greedy())?.token == 0)
  }

  @Test func topKKeepsExactlyKAndTiesByLowerId() {
    let logits: [Float] = [1, 2, 2, 2, 0]
    var drawn = Set<Int32>()
    for position in 0..<200 {
      drawn.insert(sample(logits, SamplingParameters(topK: 2), position: position)!.token)
    }
    #expect(drawn == [1, 2])
  }

  @Test func topPKeepsTheFewestThatReachIt() {
    let logits = [0.5, 0.25, 0.125, 0.125].map { Float(log($0)) }
    for (topP, kept) in [(0.3, 1), (0.6, 2), (0.8, 3), (0.95, 4)] as [(Float, Int32)] {
      var drawn = Set<Int32>()
      for position in 0..<300 {
        drawn.insert(sample(logits, SamplingParameters(topP: topP), position: position)!.token)
      }
      #expect(drawn == Set(0..<kept), "topP \(topP)")
    }
  }

  @Test func drawsInProportionToTheProbabilities() {
    let probabilities = [0.5, 0.2, 0.2, 0.1]
    let logits = probabilities.map { Float(log($0)) }
    var counts = [0.0, 0, 0, 0]
    let draws = 4000
    for position in 0..<draws {
      counts[Int(sample(logits, SamplingParameters(), seed: 3, position: position)!.token)] += 1
    }
    // Chi-squared with three degrees of freedom exceeds 16.3 once in a thousand seeds; this seed is fixed.
    let statistic = zip(counts, probabilities).reduce(0) { sum, pair in
      let expected = pair.1 * Double(draws)
      return sum + (pair.0 - expected) * (pair.0 - expected) / expected
    }
    #expect(statistic < 16.3)
  }

  @Test func randomnessDependsOnSeedAndPosition() {
    let logits = [Float](repeating: 0, count: 64)
    func tokens(seed: UInt64) -> [Int32] {
      (0..<16).map { sample(logits, SamplingParameters(), seed: seed, position: $0)!.token }
    }
    #expect(tokens(seed: 1) == tokens(seed: 1))
    #expect(tokens(seed: 1) != tokens(seed: 2))
    #expect(tokens(seed: 1) != tokens(seed: 1 << 32))
    #expect(Set(tokens(seed: 1)).count > 8)
  }

  @Test func scratchKeepsNothingFromTheRowBefore() {
    var random = SplitMix64(seed: 5)
    let sampler = Sampler(vocabularySize: 100, kernels: kernels)
    let parameters = SamplingParameters(temperature: 0.8, topK: 20, topP: 0.9, logprobs: 5)
    let logits = row(100, scale: 3, random: &random)
    let alone = sample(logits, parameters, seed: 9, position: 4)
    for _ in 0..<20 {
      let other = row(100, scale: 8, random: &random)
      _ = other.withUnsafeBufferPointer {
        sampler.sample($0, parameters: SamplingParameters(topP: 0.5), seed: 1, position: 1)
      }
      let again = logits.withUnsafeBufferPointer {
        sampler.sample($0, parameters: parameters, seed: 9, position: 4)
      }
      #expect(again == alone)
    }
  }

  @Test func logprobsAreOfTheRawDistribution() throws {
    var random = SplitMix64(seed: 6)
    for count in [1, 5, 30, 3000] {
      let logits = row(count, scale: 6, random: &random)
      let largest = Double(logits.max()!)
      let logSum = largest + log(logits.reduce(0) { $0 + exp(Double($1) - largest) })
      let parameters = SamplingParameters(temperature: 3, topK: 2, logprobs: 20)
      let drawn = try #require(sample(logits, parameters, seed: 8))
      let logprobs = try #require(drawn.logprobs)
      let expected = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(20)
      #expect(logprobs.top.map { Int($0.id) } == Array(expected))
      for alternative in logprobs.top {
        let difference = abs(Double(alternative.logprob) - (Double(logits[Int(alternative.id)]) - logSum))
        #expect(!(difference > 2e-6) && difference.isFinite)
      }
      #expect(abs(Double(logprobs.chosen) - (Double(logits[Int(drawn.token)]) - logSum)) <= 2e-6)
    }
  }

  @Test func logprobsZeroReportsTheChosenTokenOnly() {
    let drawn = sample([1, 2], .greedy(logprobs: 0))
    #expect(drawn?.logprobs?.top == [])
    #expect(sample([1, 2], .greedy())?.logprobs == nil)
  }

  @Test(
    arguments: [[Float.nan, 1], [1, .nan], [.infinity, 0], [-.infinity, -.infinity], [.nan, .nan]]
      as [[Float]])
  func refusesLogitsItCannotDrawFrom(logits: [Float]) {
    for parameters in [
      SamplingParameters.greedy(), SamplingParameters(), SamplingParameters(topK: 1, topP: 0.5),
    ] {
      #expect(sample(logits, parameters) == nil)
    }
  }

  @Test func takesExtremeTemperaturesAndLogits() {
    for temperature in [Float.leastNonzeroMagnitude, 1e-30, 1e30, .greatestFiniteMagnitude] {
      let drawn = sample(
        [-3e38, 3e38, -.infinity, 3e38], SamplingParameters(temperature: temperature, topP: 0.9))
      #expect(drawn != nil && drawn?.token != 2)
    }
    #expect(sample([1, 2, 1.5], SamplingParameters(temperature: 1e-30))?.token == 1)
  }
}

struct PhiloxTests {
  @Test func givesTheKnownAnswersOfRandom123() {
    let ones = UInt32.max
    #expect(
      Philox.block(counter: .zero, key: .zero) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: SIMD4(repeating: ones), key: SIMD2(repeating: ones))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func uniformsFillTheUnitInterval() {
    let numbers = (0..<2000).map { Philox.uniform(seed: 42, position: $0) }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(numbers.reduce(0, +) / 2000 - 0.5) < 0.03)
    #expect(Set(numbers).count == 2000)
  }
}
