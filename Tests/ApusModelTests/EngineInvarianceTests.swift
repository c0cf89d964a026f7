import ApusKernels
import ApusModel
import TestSupport
import Testing

/// The engine over the real graph: random prompts, arrivals, batch sizes, chunk sizes, cancellations of neighbours,
/// greedy and seeded sampling. Each request's tokens and logprobs are those of the request alone.
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
    // One token in sixteen ends a text, so that slots change hands at odd times.
    let eos = (0..<Int32(weights.configuration.vocabularySize)).filter { $0 % 16 == 3 }
    let invariance = BatchInvariance(eosTokenIDs: eos) { slotCount in
      try! TransformerSession(
        weights, context: slotCount == 1 ? alone : together, slotCount: slotCount, contextLength: 64,
        rowsPerStepMax: 64, kvType: test.model.kvType)
    }
    #expect(try await invariance.violations(seed: 11, workloads: 6) == [])
  }
}
