import ApusKernels
import ApusModel
import Testing

/// The graph against Hugging Face transformers in float32.
@Suite struct ReferenceLogitsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let fixture: ReferenceFixture
    let instructionSet: InstructionSet
    var testDescription: String { "\(fixture.name) on \(instructionSet.rawValue)" }

    static let all = ReferenceFixture.all.flatMap { fixture in
      InstructionSet.runnable.map { Case(fixture: fixture, instructionSet: $0) }
    }
  }

  @Test(arguments: Case.all)
  func givesTransformersLogitsInAnyChunking(_ test: Case) throws {
    let session = try TransformerSession(fixture: test.fixture, instructionSet: test.instructionSet)
    let prompt = test.fixture.prompt.map { Int32($0) }
    for chunks in [[prompt.count], [1], [5], [7, 1, 3]] {
      let found = try session.logits(of: prompt, chunks: chunks).flatMap { $0 }
      let expected = test.fixture.logits
      try #require(found.count == expected.count)
      var squaredError = 0.0
      var squaredNorm = 0.0
      var largest = 0.0
      var worst = 0.0
      for (a, b) in zip(found, expected) {
        let difference = Double(a) - Double(b)
        squaredError += difference * difference
        squaredNorm += Double(b) * Double(b)
        largest = max(largest, abs(Double(b)))
        worst = difference.isNaN ? .nan : max(worst, abs(difference))
      }
      #expect(squaredError / squaredNorm < 1e-6, "chunks \(chunks): NMSE")
      #expect(worst <= 1e-4 * largest, "chunks \(chunks): largest difference")
    }
  }

  @Test(arguments: Case.all)
  func continuesGreedilyAsTransformersDoes(_ test: Case) throws {
    let session = try TransformerSession(fixture: test.fixture, instructionSet: test.instructionSet)
    var tokens = test.fixture.prompt.map { Int32($0) }
    let steps = test.fixture.greedy.count
    var batch = RaggedBatch()
    batch.append(slot: 3, position: 0, tokens: tokens, logits: .last)
    var generated: [Int] = []
    while true {
      let next = session.forward(batch) { session.rows(of: $0)[0].argmax }
      generated.append(next)
      if generated.count == steps { break }
      batch.removeAll()
      batch.append(slot: 3, position: tokens.count, tokens: CollectionOfOne(Int32(next)), logits: .last)
      tokens.append(Int32(next))
    }
    #expect(generated == test.fixture.greedy)
  }
}
