import ApusKernels
import ApusModel
import ApusStories
import TestSupport
import Testing

/// The engine over the real graph, in random workloads with all that it can do: each request's tokens and logprobs are
/// those of the request alone.
@Suite struct EngineInvarianceTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let model: TestModel
    let instructionSet: InstructionSet
    let threadCount: Int
    var testDescription: String {
      "\(model.testDescription) on \(instructionSet.rawValue), \(threadCount) threads"
    }

    static let all = TestModel.all(["qwen2-untied-odd", "mistral-window"]).flatMap { model in
      InstructionSet.runnable.flatMap { instructionSet in
        [1, 2].map { Case(model: model, instructionSet: instructionSet, threadCount: $0) }
      }
    }
  }

  @Test(arguments: Case.all)
  func everyRequestIsBitForBitItselfAlone(_ test: Case) async throws {
    let alone = try KernelContext(instructionSet: test.instructionSet, threadCount: 1)
    let together = try KernelContext(instructionSet: test.instructionSet, threadCount: test.threadCount)
    let weights = try test.model.weights(together)
    var invariance = Self.invariance(weights, alone: alone, together: together, kvType: test.model.kvType)
    // Many models, instruction sets and types: few requests for each.
    invariance.ranges = BatchInvariance.Ranges()
    #expect(try await invariance.violations(seed: 11, workloads: 3) == [])
  }

  /// Over a model small enough for many workloads, with nothing left out.
  @Test(arguments: [1, 2])
  func nothingThatAnEngineDoesChangesAnAnswerOfASmallModel(threadCount: Int) async throws {
    let alone = try KernelContext(threadCount: 1)
    let together = try KernelContext(threadCount: threadCount)
    let weights = try TestModel(files: .fixture(ReferenceFixture("mistral-window")), type: .bf16)
      .weights(together)
    let invariance = Self.invariance(weights, alone: alone, together: together)
    #expect(try await invariance.violations(seed: 500, workloads: 60) == [])
    #expect(invariance.tally.missing() == [])
  }

  /// The embedded model, with nothing left out but what few workloads may not meet.
  @Test(arguments: [1, 2])
  func nothingThatAnEngineDoesChangesAnAnswerOfTheEmbeddedModel(threadCount: Int) async throws {
    let alone = try KernelContext(threadCount: 1)
    let together = try KernelContext(threadCount: threadCount)
    let weights = try PackedWeights(directory: ApusStories.modelDirectory(), type: nil, context: together)
    var invariance = Self.invariance(weights, alone: alone, together: together)
    invariance.eosTokenIDs = weights.configuration.eosTokenIDs.map { Int32($0) }
    #expect(try await invariance.violations(seed: 70, workloads: 12) == [])
    let rare: Set<InvarianceTally.Feature> = [.failures, .unreadEnds, .timeouts, .stopEnds]
    #expect(invariance.tally.missing().filter { !rare.contains($0) } == [])
  }

  /// Engines whose pages hold a page for each slot, or one full slot.
  private static func invariance(
    _ weights: PackedWeights, alone: KernelContext, together: KernelContext, kvType: KVType = .f32
  ) -> BatchInvariance {
    // One token in sixteen ends a text, so that slots change hands at odd times.
    let eos = (0..<Int32(weights.configuration.vocabularySize)).filter { $0 % 16 == 3 }
    let contextLength = min(128, weights.configuration.contextLength)
    let pagesPerSlot = (contextLength + KVLayout.pageSize - 1) / KVLayout.pageSize
    var invariance = BatchInvariance(eosTokenIDs: eos) { slotCount in
      try! TransformerSession(
        weights, context: slotCount == 1 ? alone : together, slotCount: slotCount,
        contextLength: contextLength, rowsPerStepMax: 128, kvType: kvType,
        pageCount: max(pagesPerSlot, slotCount))
    }
    invariance.ranges.promptLength = 1...80
    invariance.ranges.maxTokens = 1...30
    return invariance
  }
}
