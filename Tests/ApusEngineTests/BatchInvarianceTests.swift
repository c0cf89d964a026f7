import ApusModel
import TestSupport
import Testing

struct BatchInvarianceTests {
  /// A model whose texts repeat themselves, so that guesses are right, and whose logits now and then are not valid.
  private func makeModel(slotCount: Int, pageCount: Int? = nil) -> FakeStepModel {
    let model = FakeStepModel(
      slotCount: slotCount, contextLength: 48, rowsPerStepMax: slotCount + 24, pageSize: 4,
      pageCount: slotCount == 1 ? nil : pageCount)
    // Four tokens of five repeat what came three before.
    model.forcedToken = { $0.count > 6 && $0.count % 5 != 0 ? $0[$0.count - 3] : nil }
    model.isPoisoned = { $0.count > 9 && $0.reduce(0) { $0 &* 31 &+ Int($1) } % 499 == 0 }
    return model
  }

  private func invariance(pageCount: Int?) -> BatchInvariance {
    var invariance = BatchInvariance(eosTokenIDs: [3]) { makeModel(slotCount: $0, pageCount: pageCount) }
    invariance.inspect = { ($0 as! FakeStepModel).violations }
    return invariance
  }

  @Test func everyRequestIsBitForBitItselfAlone() async throws {
    let invariance = invariance(pageCount: nil)
    #expect(try await invariance.violations(seed: 1, workloads: 150) == [])
    #expect(
      invariance.tally.missing(of: InvarianceTally.Feature.allCases.filter { $0 != .preemptions }) == [])
  }

  @Test func everyRequestIsBitForBitItselfAloneWhilePagesAreShort() async throws {
    let invariance = invariance(pageCount: 20)
    #expect(try await invariance.violations(seed: 1000, workloads: 150) == [])
    #expect(invariance.tally.missing() == [])
    #expect(invariance.tally[.preemptions] > 40)
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
