import ApusModel
import TestSupport
import Testing

struct BatchInvarianceTests {
  @Test func everyRequestIsBitForBitItselfAlone() async throws {
    var invariance = BatchInvariance(eosTokenIDs: [3]) { slotCount in
      let model = FakeStepModel(slotCount: slotCount, contextLength: 48, rowsPerStepMax: slotCount + 24)
      // Four tokens of five repeat what came three before: texts that can be guessed ahead.
      model.forcedToken = { $0.count > 6 && $0.count % 5 != 0 ? $0[$0.count - 3] : nil }
      return model
    }
    invariance.inspect = { ($0 as! FakeStepModel).violations }
    #expect(try await invariance.violations(seed: 1, workloads: 60) == [])
    #expect(invariance.tally.reusedPositions > 0 && invariance.tally.acceptedDrafts > 0)
    #expect(invariance.tally.forks > 0)
  }

  @Test func holdsWhilePagesAreShort() async throws {
    var invariance = BatchInvariance(eosTokenIDs: [3]) { slotCount in
      FakeStepModel(
        slotCount: slotCount, contextLength: 48, rowsPerStepMax: 64, pageSize: 4, pageCount: 20)
    }
    invariance.inspect = { ($0 as! FakeStepModel).violations }
    #expect(try await invariance.violations(seed: 1000, workloads: 60) == [])
    #expect(invariance.tally.preemptions > 0)
  }

  /// The check sees what it is for: a model that mixes neighbours.
  @Test func findsAModelWhoseRowsDependOnTheBatch() async throws {
    let invariance = BatchInvariance { slotCount in
      let model = FakeStepModel(slotCount: slotCount, contextLength: 48, rowsPerStepMax: 64)
      var rows = 0
      model.onForward = { rows = $0.sequences.count }
      model.forcedToken = { _ in rows > 1 ? 5 : nil }
      return model
    }
    #expect(try await !invariance.violations(seed: 1, workloads: 20).isEmpty)
  }
}
