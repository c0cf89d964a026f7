import ApusEngine
import ApusModel
import TestSupport
import Testing

@testable import ApusObservability

struct ReplayTests {
  /// An engine as `apus replay` makes one.
  private func engine() throws -> Engine {
    try Engine(
      model: FakeStepModel(slotCount: 1, contextLength: 64, rowsPerStepMax: 33, pageSize: 4),
      configuration: EngineConfiguration(
        prefillStep: 32, prefixCaching: false, draftTokensMax: 0, eosTokenIDs: [3]))
  }

  private func recording(seed: UInt64) async throws -> Recording {
    let bytes = RecordedBytes()
    let recorder = FlightRecorder(.test, to: bytes.write)
    let run = try ObservedRun(seed: seed, observer: recorder.record)
    try await run.runToEnd()
    recorder.close()
    return try Recording(lines: bytes.lines)
  }

  /// Forks, preempted, cancelled and timed-out requests among them.
  @Test(arguments: 20..<32)
  func everyRequestOfARandomRunGivesTheSameBitsAlone(seed: UInt64) async throws {
    let engine = try engine()
    var compared = 0
    for request in try await recording(seed: seed).requests {
      let verdict = await RequestReplay(request).run(on: engine)
      switch verdict {
      case .same(let tokens, let logprobs):
        #expect(tokens == request.tokenCount)
        #expect(logprobs == (request.arrival.sampling.logprobs == nil ? 0 : tokens))
        compared += 1
      case .notCompared: #expect(request.tokenCount == 0)
      default: Issue.record("\(request.arrival.id): \(verdict)")
      }
    }
    #expect(compared > 0)
  }

  /// A recorded request of some tokens, and what it says after a change.
  private func verdict(
    logprobs: Int? = 2, maxTokens: Int = 9, stop: Int? = nil, constraint: (any TokenConstraint)? = nil,
    _ change: (inout RecordedRequest) -> Void = { _ in }
  ) async throws -> ReplayVerdict {
    struct StopAfter: StopCondition {
      var left: Int
      mutating func shouldStop(after token: Int32) -> Bool {
        left -= 1
        return left == 0
      }
    }
    let bytes = RecordedBytes()
    let recorder = FlightRecorder(.test, to: bytes.write)
    let core = try EngineCore(
      model: FakeStepModel(), configuration: EngineConfiguration(eosTokenIDs: [3]), kernels: nil,
      clock: .monotonic(), makeSeed: { 5 }, observer: recorder.record)
    let stream = try core.submit(
      GenerationRequest(
        promptTokens: [1, 2, 60],
        sampling: SamplingParameters(maxTokens: maxTokens, ignoreEOS: true, logprobs: logprobs, minTokens: 4),
        stopCondition: stop.map { StopAfter(left: $0) }, constraint: constraint), at: .zero)
    while core.step() {}
    _ = await stream.collect()
    recorder.close()
    var request = try Recording(lines: bytes.lines).requests[0]
    change(&request)
    return await RequestReplay(request).run(on: try engine())
  }

  @Test func theFirstTokenThatDiffersIsNamed() async throws {
    #expect(try await verdict() == .same(tokens: 9, logprobs: 9))
    let verdict = try await verdict { $0.tokens[6]!.id = ($0.tokens[6]!.id + 1) % 61 }
    guard case .token(position: 6, let recorded, let replayed) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(recorded == (replayed + 1) % 61)
    #expect(verdict.isDifference)
  }

  @Test func logprobsOfOtherBitsAreNamed() async throws {
    #expect(try await verdict { $0.tokens[7]!.logprobs = ContentHash() } == .logprobs(position: 7))
    #expect(try await verdict { $0.tokens[4]!.logprobs = nil } == .logprobs(position: 4))
  }

  @Test func anotherEndIsNamed() async throws {
    let longer = try await verdict { $0.arrival.sampling.maxTokens = 10 }
    #expect(longer == .end(recorded: "length after 9 tokens", replayed: "another token"))
    let shorter = try await verdict { $0.arrival.sampling.maxTokens = 8 }
    #expect(shorter == .end(recorded: "length after 9 tokens", replayed: "length after 8"))
    let other = try await verdict {
      $0.finish = RecordedFinish(reason: "stop", detail: 4, digest: $0.finish!.digest)
    }
    #expect(other == .end(recorded: "stop token 4", replayed: "length"))
  }

  @Test func tokensThatWereDroppedAreComparedByTheirHash() async throws {
    #expect(try await verdict { $0.tokens = [:] } == .same(tokens: 9, logprobs: 0))
    let verdict = try await verdict {
      $0.tokens = [:]
      $0.arrival.seed += 1
    }
    #expect(verdict == .somewhere(what: "its tokens"))
  }

  @Test func whatAStopConditionEndedIsComparedUpToThere() async throws {
    #expect(try await verdict(stop: 3) == .same(tokens: 3, logprobs: 3))
    #expect(try await verdict(stop: 3) { $0.tokens[5]!.id ^= 1 }.isDifference)
    // Where limits ended it the end is compared too.
    #expect(try await verdict(stop: 20) == .same(tokens: 9, logprobs: 9))
  }

  @Test func aRecordingThatEndsFirstIsComparedAsFarAsItGoes() async throws {
    let verdict = try await verdict {
      $0.finish = nil
      for position in 7...11 { $0.tokens[position] = nil }
    }
    #expect(verdict == .same(tokens: 4, logprobs: 4))
  }

  /// Even tokens only.
  private struct Even: TokenConstraint {
    var isComplete: Bool { false }
    mutating func allowedTokens(into mask: inout TokenMask) {
      mask.removeAll()
      for token in stride(from: 4, to: 61 as Int32, by: 2) { mask[token] = true }
    }
    mutating func advance(_ token: Int32) {}
  }

  @Test func underAConstraintTheLogprobsAreCompared() async throws {
    #expect(try await verdict(constraint: Even()) == .same(tokens: 9, logprobs: 9))
    #expect(try await verdict(constraint: Even()) { $0.tokens[9]!.logprobs = ContentHash() }.isDifference)
    #expect(
      try await verdict(logprobs: nil, constraint: Even())
        == .notCompared("under a constraint, and without logprobs"))
    #expect(
      try await verdict(constraint: Even()) { $0.tokens[5] = nil }
        == .notCompared("under a constraint, and tokens were dropped"))
  }

  @Test func tokensThatTheModelHasNotDoNotCrashIt() async throws {
    let given = try await verdict {
      $0.arrival.forkedFrom = RequestID(rawValue: 9)
      $0.arrival.generatedTokens = [4, .max]
    }
    #expect(given.isDifference)
    let constrained = try await verdict(constraint: Even()) { $0.tokens[5]!.id = .max }
    #expect(constrained.isDifference)
  }

  @Test func whatTheModelDoesNotTakeIsRefused() async throws {
    let verdict = try await verdict { $0.arrival.promptTokens[1] = 61 }
    #expect(
      verdict
        == .refused(
          .tokenOutsideVocabulary(field: "promptTokens", index: 1, token: 61, vocabularySize: 61)))
    #expect(verdict.isDifference)
  }
}
