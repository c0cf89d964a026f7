import ApusKernels
import ApusModel
import TestSupport
import Testing

/// A row's logits are the same bits whoever shares the step.
@Suite struct BatchInvarianceTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let model: TestModel
    let instructionSet: InstructionSet
    var testDescription: String { "\(model.testDescription) on \(instructionSet.rawValue)" }

    static let all = TestModel.all(["qwen2-untied-odd", "mistral-window", "llama3", "qwen3"]).flatMap {
      model in
      InstructionSet.runnable.map { Case(model: model, instructionSet: $0) }
    }
  }

  @Test(arguments: Case.all)
  func givesTheSameBitsAloneAndInARaggedBatch(_ test: Case) throws {
    var random = SplitMix64(seed: 7)
    let alone = try TransformerSession(model: test.model, instructionSet: test.instructionSet)
    let vocabulary = Int32(alone.vocabularySize)
    let sequences = (0..<6).map { _ in
      (0..<Int.random(in: 2...40, using: &random)).map { _ in Int32.random(in: 0..<vocabulary, using: &random)
      }
    }
    let expected = try sequences.map { try alone.logits(of: $0, chunks: [$0.count]) }
    for threadCount in [1, 2] {
      let together = try TransformerSession(
        model: test.model, instructionSet: test.instructionSet, threadCount: threadCount, rowsPerStepMax: 96)
      let found = try interleaved(sequences, on: together, using: &random)
      for index in sequences.indices {
        for row in sequences[index].indices {
          guard let logits = found[index][row] else { continue }
          #expect(
            logits.sameBits(as: expected[index][row]), "sequence \(index), row \(row), \(threadCount) threads"
          )
        }
      }
      let rows = found.flatMap { $0 }
      #expect(rows.contains { $0 == nil } && rows.count { $0 != nil } * 3 > rows.count)
    }
  }

  /// Logits of rows, sequences advancing together by chunks of random sizes in shuffled slots; nil where none were
  /// asked for.
  private func interleaved(
    _ sequences: [[Int32]], on session: TransformerSession, using random: inout SplitMix64
  ) throws -> [[[Float]?]] {
    let slots = Array(0..<session.slotCount).shuffled(using: &random)
    var found: [[[Float]?]] = sequences.map { _ in [] }
    while zip(found, sequences).contains(where: { $0.count < $1.count }) {
      var batch = RaggedBatch()
      var owners: [(sequence: Int, row: Int)] = []
      for index in sequences.indices.shuffled(using: &random) {
        let left = sequences[index].count - found[index].count
        guard left > 0, Bool.random(using: &random) || batch.rowCount == 0 else { continue }
        let count = Bool.random(using: &random) ? 1 : Int.random(in: 1...min(left, 16), using: &random)
        let start = found[index].count
        let wanted = [RaggedBatch.LogitRows.none, .last, .all, .all].randomElement(using: &random)!
        batch.append(
          slot: slots[index], position: start, tokens: sequences[index][start..<start + count], logits: wanted
        )
        found[index] += Array(repeating: nil, count: count)
        let first = wanted == .none ? start + count : wanted == .last ? start + count - 1 : start
        owners += (first..<start + count).map { (index, $0) }
      }
      let rows = session.forward(batch) { session.rows(of: $0) }
      #expect(rows.count == owners.count)
      for (row, owner) in zip(rows, owners) { found[owner.sequence][owner.row] = row }
    }
    return found
  }
}
