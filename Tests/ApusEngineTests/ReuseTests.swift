import ApusEngine
import ApusModel
import TestSupport
import Testing

/// What requests take over from others: pages of beginnings, forks, completions of one prompt.
struct ReuseTests {
  private func core(
    _ model: FakeStepModel, _ configuration: EngineConfiguration = EngineConfiguration(draftTokensMax: 0)
  ) throws -> EngineCore {
    try EngineCore(
      model: model, configuration: configuration, kernels: nil, clock: EngineClock { .zero },
      makeSeed: { 1 }, observer: nil)
  }

  private func request(_ prompt: [Int32], _ maxTokens: Int = 4) -> GenerationRequest {
    GenerationRequest(promptTokens: prompt, sampling: .greedy(maxTokens: maxTokens))
  }

  private let prompt = (0..<18).map { Int32($0 * 7 % 61) }

  @Test func countsHitsAndMisses() async throws {
    let model = FakeStepModel()
    let core = try core(model)
    let first = try core.submit(request(prompt), at: .zero)
    while core.step() {}
    #expect(core.metrics.snapshot().prefixCacheQueries == 18 && core.metrics.snapshot().prefixCacheHits == 0)
    #expect(core.metrics.snapshot().pagesIdle == 5 && core.metrics.snapshot().pagesHeld == 0)
    let second = try core.submit(request(Array(prompt.prefix(13))), at: .zero)
    while core.step() {}
    // Three pages of four; the last token is computed.
    #expect(core.metrics.snapshot().prefixCacheQueries == 31 && core.metrics.snapshot().prefixCacheHits == 12)
    #expect(core.metrics.snapshot().promptTokensTotal == 18 + 1)
    #expect(await first.collect().usage.cachedTokenCount == 0)
    #expect(await second.collect().usage.cachedTokenCount == 12)
    #expect(model.violations == [] && core.leaks == [])
  }

  @Test func findsNothingWhereItIsOff() throws {
    let core = try core(FakeStepModel(), EngineConfiguration(prefixCaching: false, draftTokensMax: 0))
    let streams = try [core.submit(request(prompt), at: .zero), core.submit(request(prompt), at: .zero)]
    while core.step() {}
    #expect(core.metrics.snapshot().prefixCacheHits == 0 && core.metrics.snapshot().pagesIdle == 0)
    #expect(core.metrics.snapshot().promptTokensTotal == 36)
    withExtendedLifetime(streams) {}
  }

  @Test func completionsOfOnePromptComputeItOnce() async throws {
    let model = FakeStepModel(slotCount: 4)
    let core = try core(model)
    let streams = try core.submit([request(prompt)], count: 4, at: .zero)
    while core.step() {}
    // The last token's row is each one's own.
    #expect(core.metrics.snapshot().promptTokensTotal == 18 + 3)
    var results: [GenerationResult] = []
    for stream in streams { results.append(await stream.collect()) }
    #expect(Set(results.map(\.tokenIDs)).count == 1)  // greedy
    #expect(results.map(\.usage.cachedTokenCount) == [0, 17, 17, 17])
    #expect(model.violations == [] && core.leaks == [])
  }

  @Test func completionsHaveSeedsOfTheirOwnThatFollowFromTheRequests() throws {
    let core = try core(FakeStepModel())
    var request = request(prompt)
    request.sampling.seed = 5
    let (first, second) = try (
      core.submit([request], count: 4, at: .zero), core.submit([request], count: 4, at: .zero)
    )
    #expect(first.map(\.seed) == second.map(\.seed) && first[0].seed == 5)
    #expect(Set(first.map(\.seed)).count == 4)
  }

  @Test func completionsWaitForTheFirstAndGoOnWithoutIt() async throws {
    let model = FakeStepModel(slotCount: 3)
    let core = try core(model, EngineConfiguration(prefillStep: 5, draftTokensMax: 0))
    let streams = try core.submit([request(prompt)], count: 3, at: .zero)
    for _ in 0..<2 { _ = core.step() }
    #expect(model.rowCount == 10)
    core.cancel(streams[0].id)
    while core.step() {}
    // What the first had computed is in the cache: two pages. The next one computes the rest, for both.
    #expect(model.rowCount == 10 + 10 + 1 + 2 * 3)
    #expect(await streams[1].collect().tokens.count == 4)
    #expect(await streams[2].collect().tokens.count == 4)
    #expect(model.violations == [] && core.leaks == [])
  }

  @Test func aForkGoesOnFromWhereItsOriginIs() async throws {
    let model = FakeStepModel(slotCount: 2)
    let core = try core(model)
    let origin = try core.submit(request(prompt, 10), at: .zero)
    for _ in 0..<4 { _ = core.step() }
    let rows = model.rowCount
    let fork = try core.fork(origin.id, seed: nil, at: .zero)
    while core.step() {}
    let (all, rest) = (await origin.collect(), await fork.collect())
    #expect(rest.tokens == Array(all.tokens.dropFirst(4)))
    #expect(rest.usage.cachedTokenCount == 21 && rest.usage.completionTokenCount == 6)
    // Six tokens each, the fork's in steps of their own rows.
    #expect(model.rowCount == rows + 6 + 6)
    #expect(model.violations == [] && core.leaks == [])
  }

  @Test func aForkHasTheOriginsConditionsAsTheyAre() async throws {
    let model = FakeStepModel(slotCount: 2)
    let core = try core(model)
    var request = request(prompt, 30)
    request.constraint = SumConstraint(divisor: 5, length: 12)
    request.stopCondition = SumStopCondition(divisor: 1_000_003)
    let origin = try core.submit(request, at: .zero)
    for _ in 0..<5 { _ = core.step() }
    let fork = try core.fork(origin.id, seed: nil, at: .zero)
    while core.step() {}
    let (all, rest) = (await origin.collect(), await fork.collect())
    #expect(all.finishReason == .complete && rest.finishReason == .complete)
    #expect(all.tokens.count == 12 && rest.tokens == Array(all.tokens.dropFirst(5)))
  }

  @Test func aForkOfARequestThatWaitsWaitsToo() async throws {
    let model = FakeStepModel(slotCount: 1)
    let core = try core(model)
    let first = try core.submit(request([1, 2, 3], 6), at: .zero)
    _ = core.step()
    let waiting = try core.submit(request(prompt, 5), at: .zero)
    let fork = try core.fork(waiting.id, seed: nil, at: .zero)
    core.cancel(waiting.id)
    while core.step() {}
    #expect(await first.collect().tokens.count == 6)
    #expect(await fork.collect().tokens.map(\.position) == Array(18..<23))
    #expect(model.violations == [] && core.leaks == [])
  }

  /// A request that wants its prompt's logprobs computes all of it, and its pages are counted in full.
  @Test func aPromptThatIsScoredTakesNothingOver() async throws {
    let model = FakeStepModel(slotCount: 2, pageSize: 4, pageCount: 9)
    let core = try core(model)
    let first = try core.submit(request(prompt, 12), at: .zero)
    _ = core.step()
    var scored = request(Array(prompt.prefix(15)))
    scored.sampling.promptLogprobs = 1
    let second = try core.submit(scored, at: .zero)
    _ = core.step()
    // Five pages are held; four more and one for who runs are not there, though three of them are in the cache.
    #expect(core.scheduler.runningCount == 1)
    while core.step() {}
    let result = await second.collect()
    #expect(result.promptLogprobs?.count == 15 && result.usage.cachedTokenCount == 0)
    #expect(result.promptLogprobs?.first == .some(nil))
    #expect(result.promptLogprobs?.dropFirst().allSatisfy { $0?.top.count == 1 } == true)
    #expect(await first.collect().tokens.count == 12)
    #expect(model.violations == [] && core.leaks == [])
  }

  /// The relative that has most in common is copied, not the one that has come furthest.
  @Test func aForkIsTakenFromItsOriginRatherThanFromAFork() throws {
    var driver = SchedulerDriver(slots: 3, prefillStep: 32, cachesPrefixes: false)
    driver.promptToken = { _, position in Int32(position) }
    try driver.submit(1, prompt: 4, maxTokens: 40)
    driver.step()
    try fork(2, of: 1, &driver)
    for _ in 0..<8 { driver.step() }
    try fork(3, of: 1, &driver)
    let shared = try #require(driver.scheduler.request(id(1))).tokens.count
    let events = driver.step().events
    #expect(events.contains(.reused(id(3), positions: shared - 1)))
  }

  /// What a fork's own pages still hold is more than what it shares.
  @Test func aForkThatWasPreemptedFindsItsOwnPagesAgain() throws {
    var driver = SchedulerDriver(slots: 2, prefillStep: 32, pages: 10)
    driver.promptToken = { _, position in Int32(position) }
    try driver.submit(1, prompt: 4, maxTokens: 30)
    driver.step()
    try fork(2, of: 1, &driver, maxTokens: 30)
    var events: [SchedulerEvent] = []
    while !driver.scheduler.isIdle { events += driver.step(token: Int32(events.count)).events }
    guard let place = events.firstIndex(of: .preempted(id(2), slot: 1, by: id(1))) else {
      Issue.record("nobody was preempted")
      return
    }
    let reused = events[place...].compactMap {
      if case .reused(id(2), let positions) = $0 { positions } else { nil }
    }
    #expect(reused.first ?? 0 > 5)
  }

  /// A page that another request fills in this very step can be shared, but not be copied: its rows have not run.
  @Test func aForkNeverCopiesAPageThatTheSameStepFills() async throws {
    let model = FakeStepModel(slotCount: 3, pageSize: 4, pageCount: 11)
    let core = try core(
      model, EngineConfiguration(prefillStep: 40, policy: PriorityPolicy(), draftTokensMax: 0))
    func submit(_ prompt: [Int32], _ maxTokens: Int, priority: Int) throws -> TokenStream {
      var request = request(prompt, maxTokens)
      request.priority = priority
      return try core.submit(request, at: .zero)
    }
    let origin = try submit(Array(prompt.prefix(6)), 30, priority: 1)
    // Takes all pages in time, and with them the origin's.
    let greedy = try submit((0..<25).map { Int32($0 * 5 % 61) }, 20, priority: 0)
    _ = core.step()
    let fork = try core.fork(origin.id, seed: nil, at: .zero)
    while core.scheduler.request(greedy.id) != nil { _ = core.step() }
    let tokens = try #require(core.scheduler.request(origin.id)?.tokens)
    try #require(tokens.count > 10 && core.scheduler.waitingCount == 2)
    // Comes first and computes the origin's beginning; the origin shares it, and the fork shares with the origin.
    let same = try submit(Array(tokens.prefix(10)), 2, priority: -1)
    _ = core.step()
    #expect(core.scheduler.runningCount == 3)
    while core.step() {}
    let expected = await origin.collect().tokens.dropFirst(1)
    #expect(await fork.collect().tokens == Array(expected))
    #expect(await same.collect().tokenIDs == expected.dropFirst(3).prefix(2).map(\.id))
    #expect(model.violations == [] && core.leaks == [])
    withExtendedLifetime(greedy) {}
  }

  private func fork(
    _ fork: UInt64, of origin: UInt64, _ driver: inout SchedulerDriver, maxTokens: Int = 40
  ) throws {
    let tokens = try #require(driver.scheduler.request(id(origin))).tokens
    try driver.scheduler.submit([
      ScheduledRequest(
        id: id(fork), promptTokens: Array(tokens.prefix(4)), generatedTokens: Array(tokens.dropFirst(4)),
        maxTokens: maxTokens, family: id(origin), sharedCount: tokens.count)
    ])
  }
}
