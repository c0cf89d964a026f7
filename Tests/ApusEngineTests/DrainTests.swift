import ApusEngine
import Foundation
import TestSupport
import Testing

/// The two ways in which an engine ends: those that are here go on to their ends, or all end at once.
@Suite(.timeLimit(.minutes(1)))
struct DrainTests {
  private let endless = GenerationRequest(
    promptTokens: [1, 2, 3], sampling: SamplingParameters(temperature: 0, maxTokens: 1_000_000))

  /// An engine of one slot whose steps take a millisecond.
  private func engine() throws -> Engine {
    let model = FakeStepModel(slotCount: 1, contextLength: 200_000)
    model.onForward = { _ in usleep(1000) }
    return try Engine(model: model)
  }

  /// Calls `drain` and returns when it has begun: new requests are refused.
  private func beginDrain(_ engine: Engine) async throws -> Task<Void, Never> {
    let drain = Task { await engine.drain() }
    while true {
      do throws(AdmissionError) {
        await engine.cancel(try await engine.generate(endless).id)
      } catch {
        #expect(error == .draining)
        return drain
      }
    }
  }

  @Test func drainingRefusesNewRequestsAndWaitsForThoseThatAreHere() async throws {
    let engine = try engine()
    let request = GenerationRequest(promptTokens: [1, 2, 3], sampling: .greedy(maxTokens: 40))
    let streams = try await engine.generate([request, request])
    let drain = try await beginDrain(engine)
    await #expect(throws: AdmissionError.draining) { _ = try await engine.fork(streams[0].id) }
    await drain.value
    #expect(engine.metrics.requestsRunning == 0 && engine.metrics.requestsWaiting == 0)
    for stream in streams {
      let result = await stream.collect()
      #expect(result.finishReason == .length && result.tokens.count == 40)
    }
  }

  @Test func anIdleEngineIsDrainedAtOnceForAnyNumberOfCallers() async throws {
    let engine = try engine()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<5 { group.addTask { await engine.drain() } }
    }
    await #expect(throws: AdmissionError.draining) { _ = try await engine.generate(endless) }
  }

  @Test func drainingEndsWithTheLastRequestAlsoIfItIsCancelled() async throws {
    let engine = try engine()
    let stream = try await engine.generate(endless)
    let drains = [try await beginDrain(engine), Task { await engine.drain() }]
    await engine.cancel(stream.id)
    for drain in drains { await drain.value }
    #expect(await stream.collect().finishReason == .cancelled)
  }

  @Test func drainingEndsWhenTheLastStreamIsLetGoOf() async throws {
    let engine = try engine()
    var stream: TokenStream? = try await engine.generate(endless)
    let drain = try await beginDrain(engine)
    #expect(stream != nil)
    stream = nil
    await drain.value
  }

  @Test func shutdownDoesNotWaitForADrain() async throws {
    let engine = try engine()
    let stream = try await engine.generate(endless)
    let drain = try await beginDrain(engine)
    await engine.shutdown()
    await drain.value
    #expect(await stream.collect().finishReason == .shutdown)
    await #expect(throws: AdmissionError.shutDown) { _ = try await engine.generate(endless) }
  }
}

@Suite(.timeLimit(.minutes(1)))
struct CompletionTests {
  private func engine() throws -> Engine {
    try Engine(model: FakeStepModel(slotCount: 3, contextLength: 200_000))
  }

  @Test func givesAStreamForEachCompletion() async throws {
    let engine = try engine()
    let request = GenerationRequest(
      promptTokens: [1, 2, 3], sampling: SamplingParameters(seed: 4, maxTokens: 12))
    let streams = try await engine.generate(request, count: 3)
    let alone = try await engine.generate(request).collect().tokenIDs
    var texts: [[Int32]] = []
    for stream in streams { texts.append(await stream.collect().tokenIDs) }
    #expect(texts[0] == alone && Set(texts).count == 3)
  }

  @Test func aForkStreamsWhatComesAfterIt() async throws {
    let engine = try engine()
    let request = GenerationRequest(promptTokens: [1, 2, 3], sampling: .greedy(maxTokens: 100_000))
    let origin = try await engine.generate(request)
    let fork = try await engine.fork(origin.id)
    let iterator = fork.makeAsyncIterator()
    var rest: [GeneratedToken] = []
    while rest.count < 5, case .token(let token) = await iterator.next() { rest.append(token) }
    await engine.cancel(origin.id)
    let all = await origin.collect().tokens
    let position = try #require(rest.first).position
    let common = all.drop { $0.position < position }.prefix(5)
    #expect(rest.prefix(common.count) == common && !common.isEmpty)
    await #expect(throws: AdmissionError.unknownRequest(origin.id)) { _ = try await engine.fork(origin.id) }
  }
}
