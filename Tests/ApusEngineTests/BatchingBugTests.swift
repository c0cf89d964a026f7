import ApusEngine
import ApusModel
import Foundation
import TestSupport
import Testing

/// Bugs that other batching engines had, each as the sentence that must hold instead. Those that need a model of
/// several layers are in ApusModelTests, under the same name.
struct BatchingBugTests {
  private func core(
    _ model: FakeStepModel, _ configuration: EngineConfiguration = EngineConfiguration()
  ) throws -> EngineCore {
    try EngineCore(
      model: model, configuration: configuration, kernels: nil, clock: EngineClock { .zero },
      makeSeed: { 1 }, observer: nil)
  }

  private func request(_ prompt: Range<Int32>, _ maxTokens: Int) -> GenerationRequest {
    GenerationRequest(promptTokens: Array(prompt), sampling: .greedy(maxTokens: maxTokens))
  }

  /// A loop ended when no request waited and no slot decoded, and lost the request that was prefilling.
  @Test func theLoopDoesNotEndWhileAPrefillIsPending() async throws {
    let model = FakeStepModel(slotCount: 1)
    let core = try core(model, EngineConfiguration(prefillStep: 3))
    let stream = try core.submit(request(0..<20, 1), at: .zero)
    var steps = 0
    while core.step() { steps += 1 }
    #expect(steps == 6)
    #expect(await stream.collect().tokens.count == 1)
  }

  /// A request whose first token was EOS still took a slot and was decoded.
  @Test func eosAsTheFirstTokenOfManyTakesNoDecodeRowAndItsSlotIsFreeInTheNextStep() async throws {
    let model = FakeStepModel(slotCount: 1)
    model.forcedToken = { _ in 9 }
    let core = try core(model, EngineConfiguration(eosTokenIDs: [9]))
    let streams = try (0..<5).map { try core.submit(request(Int32($0)..<Int32($0) + 4, 30), at: .zero) }
    while core.step() {}
    #expect(model.stepCount == 5 && core.metrics.snapshot().decodeRowsTotal == 0)
    for stream in streams { #expect(await stream.collect().tokenIDs == [9]) }
  }

  /// The normaliser of log-probabilities was summed over the whole batch.
  @Test func logprobsAreNormalisedOverTheirRowNotOverTheBatch() async throws {
    let model = FakeStepModel(vocabularySize: 20, slotCount: 3)
    // One row has a token far above all others.
    model.forcedToken = { $0[0] == 1 ? 7 : nil }
    let core = try core(model)
    var streams: [TokenStream] = []
    for first in 1...3 as ClosedRange<Int32> {
      var request = request(first..<first + 5, 4)
      request.sampling.logprobs = 20
      request.sampling.promptLogprobs = 20
      streams.append(try core.submit(request, at: .zero))
    }
    while core.step() {}
    for stream in streams {
      let result = await stream.collect()
      let rows = result.tokens.map(\.logprobs) + (result.promptLogprobs ?? []).dropFirst()
      #expect(rows.count == 8)
      for row in rows {
        let mass = try #require(row).top.reduce(0) { $0 + exp(Double($1.logprob)) }
        #expect(abs(mass - 1) < 1e-5)
      }
    }
  }

  /// Freeing asked whether any cache was there, not whether the slot's was.
  @Test func endingARequestFreesItsOwnSlotAndNoOther() async throws {
    let model = FakeStepModel(slotCount: 3)
    let core = try core(model)
    let streams = try (0..<3).map { try core.submit(request(Int32($0)..<Int32($0) + 6, 12), at: .zero) }
    for _ in 0..<3 { _ = core.step() }
    let held = core.scheduler.memory.heldCount
    let freed = core.scheduler.memory.pages(of: 1).count
    core.cancel(streams[1].id)
    core.cancel(streams[1].id)
    #expect(core.scheduler.freeSlotCount == 1 && core.scheduler.memory.heldCount == held - freed)
    #expect(core.scheduler.request(inSlot: 1) == nil)
    #expect(core.scheduler.request(inSlot: 0)?.id == streams[0].id)
    #expect(core.scheduler.request(inSlot: 2)?.id == streams[2].id)
    while core.step() {}
    #expect(await streams[0].collect().tokens.count == 12)
    #expect(await streams[2].collect().tokens.count == 12)
    #expect(core.leaks == [] && model.violations == [])
  }

  /// Pages leaked where a request failed in the middle of a step.
  @Test func aRequestThatFailsGivesEveryPageBackAtEveryStep() async throws {
    for length in 6..<24 {
      let model = FakeStepModel(slotCount: 3, pageSize: 4, pageCount: 20)
      model.forcedToken = { $0.count > 6 && $0.count % 5 != 0 ? $0[$0.count - 3] : nil }
      model.isPoisoned = { $0.count == length && $0[0] == 0 }
      let core = try core(model, EngineConfiguration(prefillStep: 4))
      let failing = try core.submit([request(0..<6, 20)], count: 2, at: .zero)
      let healthy = try core.submit(request(1..<8, 16), at: .zero)
      while core.step() {}
      for stream in failing {
        #expect(
          await stream.collect().finishReason
            == .failed(.invalidLogits(request: stream.id, position: length)))
      }
      #expect(await healthy.collect().tokens.count == 16)
      #expect(core.leaks == [] && model.violations == [])
    }
  }

  /// Half of a sequence's pages stayed appended where a later one could not be had.
  @Test func aSequenceThatCannotHaveAllItsPagesTakesNone() {
    for available in 0..<4 {
      var memory = SequenceMemory(
        pageCount: 6, pageSize: 4, slotCount: 2, contextLength: 32, cachesPrefixes: true)
      var plan = StepPlan()
      #expect(memory.grow(0, to: 4 * (6 - available), into: &plan))
      plan.removeAll()
      #expect(!memory.grow(1, to: 4 * available + 1, into: &plan))
      #expect(memory.pages(of: 1).isEmpty && plan == StepPlan() && memory.availableCount == available)
    }
  }
}
