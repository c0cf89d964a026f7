import ApusEngine
import ApusModel
import Foundation
import Synchronization
import TestSupport
import Testing

/// Holds an engine inside a step until the test lets it go on.
private final class StepGate: Sendable {
  private let entered = AsyncStream.makeStream(of: Void.self)
  private let go = DispatchSemaphore(value: 0)
  private let isOpen = Mutex(false)

  /// What the model calls in each step.
  func pass() {
    guard !isOpen.withLock({ $0 }) else { return }
    entered.continuation.yield()
    go.wait()
  }

  /// Returns when a step has begun.
  func untilInStep() async {
    var iterator = entered.stream.makeAsyncIterator()
    await iterator.next()
  }

  func letOneStepGo() { go.signal() }

  func open() {
    isOpen.withLock { $0 = true }
    go.signal()
  }
}

/// Waits for what another thread does. Fails when the test's time is over.
private func until(_ holds: () -> Bool) async throws {
  while !holds() { try await Task.sleep(for: .milliseconds(1)) }
}

@Suite(.timeLimit(.minutes(1)))
struct EngineTests {
  /// Runs for longer than any test.
  private let endless = GenerationRequest(
    promptTokens: [1, 2, 3], sampling: SamplingParameters(temperature: 0, maxTokens: 1_000_000))

  private func request(_ maxTokens: Int) -> GenerationRequest {
    GenerationRequest(promptTokens: [1, 2, 3], sampling: .greedy(maxTokens: maxTokens))
  }

  private func engine(
    slots: Int = 2, configuration: EngineConfiguration = EngineConfiguration(),
    onForward: @escaping @Sendable (RaggedBatch) -> Void = { _ in }
  ) throws -> Engine {
    let model = FakeStepModel(slotCount: slots, contextLength: 200_000)
    model.onForward = onForward
    return try Engine(model: model, configuration: configuration)
  }

  @Test func streamsTokensThenTheEndThenNil() async throws {
    let engine = try engine()
    let iterator = try await engine.generate(request(3)).makeAsyncIterator()
    for position in 3..<6 {
      guard case .token(let token) = await iterator.next() else {
        Issue.record("no token for position \(position)")
        return
      }
      #expect(token.position == position)
    }
    guard case .finished(.length, let usage) = await iterator.next() else {
      Issue.record("no end")
      return
    }
    #expect(usage.promptTokenCount == 3 && usage.completionTokenCount == 3)
    #expect(await iterator.next() == nil)
    #expect(await iterator.next() == nil)
  }

  @Test func servesManyRequestsAtOnce() async throws {
    let engine = try engine(slots: 3)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 1...20 {
        group.addTask { try await engine.generate(self.request(index)).collect().tokens.count - index }
      }
      for try await difference in group { #expect(difference == 0) }
    }
    #expect(engine.metrics.requestsLength == 20)
  }

  @Test func takesAListOfRequestsBeforeTheNextStep() async throws {
    let first = Mutex<Int?>(nil)
    let engine = try engine(slots: 4) { batch in first.withLock { $0 = $0 ?? batch.sequences.count } }
    for stream in try await engine.generate([request(2), request(3), request(4)]) {
      _ = await stream.collect()
    }
    #expect(first.withLock { $0 } == 3)
  }

  @Test func refusesAListAsAWhole() async throws {
    let engine = try engine()
    await #expect(throws: AdmissionError.emptyPrompt) {
      _ = try await engine.generate([endless, GenerationRequest(promptTokens: [])])
    }
    #expect(engine.metrics.requestsTotal == 0 && engine.metrics.requestsWaiting == 0)
    for stream in try await engine.generate([request(1), request(1)]) { _ = await stream.collect() }
    #expect(engine.metrics.requestsCancelled == 0)
  }

  @Test func refusesByName() async throws {
    let engine = try engine()
    await #expect(throws: AdmissionError.emptyPrompt) {
      _ = try await engine.generate(GenerationRequest(promptTokens: []))
    }
  }

  @Test func freesSlotWhenStreamIsDropped() async throws {
    let engine = try engine(slots: 1)
    _ = try await engine.generate(endless)
    #expect(try await engine.generate(request(2)).collect().tokens.count == 2)
    #expect(engine.metrics.requestsCancelled == 1)
  }

  @Test func freesSlotWhenLoopIsLeft() async throws {
    let engine = try engine(slots: 1)
    let stream = try await engine.generate(endless)
    for await _ in stream { break }
    #expect(try await engine.generate(request(2)).collect().tokens.count == 2)
    withExtendedLifetime(stream) {}
  }

  @Test func freesSlotWhenReadingTaskIsCancelled() async throws {
    let engine = try engine(slots: 1)
    let stream = try await engine.generate(endless)
    let reader = Task { await stream.collect() }
    reader.cancel()
    #expect(await reader.value.finishReason == .cancelled)
    #expect(try await engine.generate(request(2)).collect().tokens.count == 2)
  }

  @Test func cancelsByNameInTheQueueAndInASlot() async throws {
    let engine = try engine(slots: 1)
    let running = try await engine.generate(endless)
    let waiting = try await engine.generate(endless)
    await engine.cancel(waiting.id)
    await engine.cancel(waiting.id)
    #expect(await waiting.collect().finishReason == .cancelled)
    await engine.cancel(running.id)
    #expect(await running.collect().finishReason == .cancelled)
    await engine.cancel(running.id)
  }

  @Test func aStreamThatNobodyReadsBlocksNobody() async throws {
    let engine = try engine(slots: 2)
    let unread = try await engine.generate(request(500))
    #expect(try await engine.generate(request(600)).collect().tokens.count == 600)
    #expect(await unread.collect().tokens.count == 500)
  }

  @Test func takesRequestsAndAnswersDuringAStep() async throws {
    let gate = StepGate()
    let engine = try engine { _ in gate.pass() }
    let first = try await engine.generate(request(3))
    await gate.untilInStep()
    // Metrics never wait for the step.
    #expect(engine.metrics.requestsRunning == 1)
    let second = Task { try await engine.generate(request(2)).collect() }
    gate.letOneStepGo()
    gate.open()
    #expect(await first.collect().tokens.count == 3)
    #expect(try await second.value.tokens.count == 2)
  }

  @Test func droppingAStreamDuringAStepFreesTheSlotAtTheNext() async throws {
    let gate = StepGate()
    let engine = try engine(slots: 1) { _ in gate.pass() }
    var dropped: TokenStream? = try await engine.generate(endless)
    await gate.untilInStep()
    #expect(dropped != nil)
    dropped = nil
    gate.open()
    #expect(try await engine.generate(request(2)).collect().tokens.count == 2)
    // The endless request had one step: the one during which it was dropped.
    #expect(engine.metrics.stepsTotal == 3)
  }

  @Test func shutdownFinishesEveryStreamAndRefusesMore() async throws {
    let engine = try engine(slots: 1)
    let running = try await engine.generate(endless)
    let waiting = try await engine.generate(endless)
    await engine.shutdown()
    await engine.shutdown()
    #expect(await running.collect().finishReason == .shutdown)
    #expect(await waiting.collect().finishReason == .shutdown)
    await #expect(throws: AdmissionError.shutDown) { _ = try await engine.generate(request(1)) }
  }

  @Test func whatACancelledTaskSubmitsIsNotQueued() async throws {
    let engine = try engine(slots: 1)
    let origin = try await engine.generate(endless)
    let submission = Task {
      while !Task.isCancelled { await Task.yield() }
      await #expect(throws: AdmissionError.cancelled) { _ = try await engine.generate(request(1)) }
      await #expect(throws: AdmissionError.cancelled) { _ = try await engine.fork(origin.id) }
    }
    submission.cancel()
    await submission.value
    #expect(engine.metrics.requestsTotal == 1)
    await engine.shutdown()
  }

  @Test func lettingGoOfTheEngineFinishesStreamsAndFreesTheModel() async throws {
    final class Token: Sendable {}
    var token: Token? = Token()
    weak let freed = token
    var engine: Engine? = try engine { [token] _ in withExtendedLifetime(token) {} }
    token = nil
    let stream = try await engine!.generate(endless)
    #expect(freed != nil)
    engine = nil
    #expect(await stream.collect().finishReason == .shutdown)
    try await until { freed == nil }
  }
}

@Suite(.timeLimit(.minutes(1)))
struct EngineThreadTests {
  @Test func sleepsWithoutWork() async throws {
    let rounds = Mutex(0)
    let thread = EngineThread()
    thread.start {
      rounds.withLock { $0 += 1 }
      return false
    }
    try await Task.sleep(for: .milliseconds(50))
    #expect(rounds.withLock { $0 } == 0)
    thread.stop()
  }

  @Test func stepsAsLongAsThereIsWork() async throws {
    let rounds = Mutex(0)
    let thread = EngineThread()
    thread.start {
      rounds.withLock { rounds in
        rounds += 1
        return rounds < 5
      }
    }
    actor Caller {
      let thread: EngineThread
      nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
      init(_ thread: EngineThread) { self.thread = thread }
      func call() { thread.checkIsolated() }
    }
    await Caller(thread).call()
    try await until { rounds.withLock { $0 } == 5 }
    thread.stop()
  }

  @Test func endsWhenStopped() async throws {
    weak var ended: EngineThread?
    do {
      let thread = EngineThread()
      ended = thread
      thread.start { false }
      thread.stop()
    }
    try await until { ended == nil }
  }
}
