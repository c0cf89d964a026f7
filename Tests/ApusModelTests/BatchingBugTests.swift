import ApusEngine
import ApusKernels
import ApusModel
import TestSupport
import Testing

/// Bugs that other batching engines had, on the real graph; see the tests of this name in ApusEngineTests.
@Suite struct BatchingBugTests {
  private func session(slotCount: Int, pageCount: Int? = nil) throws -> TransformerSession {
    let context = try KernelContext(threadCount: 1)
    let weights = try PackedWeights(
      directory: ReferenceFixture("qwen2-untied-odd").directory, type: .f32, context: context)
    return try TransformerSession(
      weights, context: context, slotCount: slotCount, contextLength: 96, rowsPerStepMax: 96,
      pageCount: pageCount)
  }

  private func request(_ seed: UInt64, prompt: Int, maxTokens: Int) -> GenerationRequest {
    var random = SplitMix64(seed: seed)
    return GenerationRequest(
      promptTokens: (0..<prompt).map { _ in Int32(random.nextInt(0...80)) },
      sampling: .greedy(maxTokens: maxTokens, logprobs: 5))
  }

  private func core(_ session: TransformerSession) throws -> EngineCore {
    try EngineCore(
      model: session, configuration: EngineConfiguration(prefillStep: 40), kernels: nil,
      clock: EngineClock { .zero }, makeSeed: { 1 }, observer: nil)
  }

  private func alone(_ request: GenerationRequest) async throws -> [GeneratedToken] {
    let core = try core(session(slotCount: 1))
    let stream = try core.submit(request, at: .zero)
    while core.step() {}
    return await stream.collect().tokens
  }

  /// A request was removed from the last layer's cache alone: who came after it saw its keys in all the others.
  @Test func cancellingFreesSlotAndPagesInEveryLayer() async throws {
    // Two slots and two pages: who comes next has the slot and the pages of who was cancelled.
    let core = try core(session(slotCount: 2, pageCount: 2))
    let next = request(2, prompt: 37, maxTokens: 12)
    let expected = try await alone(next)
    for steps in 0..<12 {
      let cancelled = try core.submit(request(1, prompt: 50, maxTokens: 14), at: .zero)
      for _ in 0..<steps { _ = core.step() }
      core.cancel(cancelled.id)
      let stream = try core.submit(next, at: .zero)
      while core.step() {}
      #expect(await stream.collect().tokens == expected, "cancelled after \(steps) steps")
      #expect(core.leaks == [])
    }
  }

  /// Idle rows of a batch were given a causal mask, "otherwise wrong output". Here no idle slot has a row, whatever its
  /// pages hold.
  @Test func idleSlotsHaveNoRowsAndChangeNothing() async throws {
    let session = try session(slotCount: 4)
    let core = try core(session)
    // Three slots are used and left full of other texts.
    let others = try (3..<7).map { try core.submit(request($0, prompt: 60, maxTokens: 20), at: .zero) }
    while core.step() {}
    let last = request(9, prompt: 33, maxTokens: 16)
    let stream = try core.submit(last, at: .zero)
    let rows = core.metrics.snapshot().decodeRowsTotal
    while core.step() {}
    #expect(await stream.collect().tokens == (try await alone(last)))
    #expect(core.metrics.snapshot().decodeRowsTotal - rows == 15)
    withExtendedLifetime(others) {}
  }
}
