import ApusEngine
import TestSupport
import Testing

/// A consumer that stops reading blocks nobody, and what waits for it is bounded.
struct UnreadStreamTests {
  private func core(_ unreadTokensMax: Int, draftTokensMax: Int = 0) throws -> EngineCore {
    try EngineCore(
      model: FakeStepModel(slotCount: 2, contextLength: 400),
      configuration: EngineConfiguration(draftTokensMax: draftTokensMax, unreadTokensMax: unreadTokensMax),
      kernels: nil, clock: EngineClock { .zero }, makeSeed: { 1 }, observer: nil)
  }

  private func request(_ prompt: [Int32], _ maxTokens: Int) -> GenerationRequest {
    GenerationRequest(promptTokens: prompt, sampling: .greedy(maxTokens: maxTokens))
  }

  @Test func aRequestThatNobodyReadsEndsAtTheLimitAndTheOthersGoOn() async throws {
    let core = try core(10)
    let unread = try core.submit(request([1, 2], 300), at: .zero)
    let read = try core.submit(request([3, 4], 300), at: .zero)
    let reader = read.makeAsyncIterator()
    var tokens = 0
    for _ in 0..<300 {
      _ = core.step()
      if case .token = await reader.next() { tokens += 1 }
    }
    #expect(tokens == 300)
    let result = await unread.collect()
    #expect(result.finishReason == .unread && result.tokens.count == 11)
    #expect(core.leaks == [] && core.metrics.snapshot().requestsCancelled == 1)
  }

  @Test func aReaderInTimeIsNotEnded() async throws {
    let core = try core(10)
    let stream = try core.submit(request([1, 2], 100), at: .zero)
    let reader = stream.makeAsyncIterator()
    for _ in 0..<100 {
      for _ in 0..<10 { _ = core.step() }
      for _ in 0..<10 { _ = await reader.next() }
    }
    #expect(core.metrics.snapshot().requestsLength == 1)
  }

  /// Who waits for the end as a whole reads no token before it, and is not thought to be gone.
  @Test func whoWaitsForTheWholeIsThere() async {
    let channel = TokenChannel(id: RequestID(rawValue: 1), cancellations: CancellationBox())
    let whole = Task { await channel.rest() }
    var unread = channel.send(.token(GeneratedToken(id: 1, position: 0)))
    while unread > 0 {
      await Task.yield()
      unread = channel.send(.token(GeneratedToken(id: 1, position: 0)))
    }
    for _ in 0..<100 { #expect(channel.send(.token(GeneratedToken(id: 1, position: 0))) == 0) }
    let usage = Usage(
      promptTokenCount: 1, completionTokenCount: 1, seed: 0, timing: RequestTiming(queued: .zero))
    channel.send(.finished(.length, usage))
    #expect(await whole.value.count > 100)
  }

  @Test func aReaderAlwaysABitBehindLeavesNothingBehind() async {
    let channel = TokenChannel(id: RequestID(rawValue: 1), cancellations: CancellationBox())
    for position in 0..<20 { channel.send(.token(GeneratedToken(id: 1, position: position))) }
    var largest = 0
    for position in 20..<5_000 {
      channel.send(.token(GeneratedToken(id: 1, position: position)))
      guard case .token(let token) = await channel.next(isolation: nil) else {
        Issue.record("no token")
        return
      }
      #expect(token.position == position - 20)
      largest = max(largest, channel.storedCount)
    }
    #expect(largest <= 45)
  }
}
