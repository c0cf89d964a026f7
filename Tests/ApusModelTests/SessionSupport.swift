import ApusKernels
import ApusModel
import Foundation

extension TransformerSession {
  /// A session over a fixture's weights.
  convenience init(
    fixture: ReferenceFixture, type: WeightType = .f32, instructionSet: InstructionSet? = nil,
    threadCount: Int = 1, precise: Bool = true, slotCount: Int = 8, rowsPerStepMax: Int = 64,
    kvType: KVType = .f32
  ) throws {
    let context = try KernelContext(
      instructionSet: instructionSet, threadCount: threadCount, precise: precise)
    let weights = try PackedWeights(directory: fixture.directory, type: type, context: context)
    try self.init(
      weights, context: context, slotCount: slotCount, rowsPerStepMax: rowsPerStepMax, kvType: kvType)
  }

  /// A session over a model, with the activations that products of its type are made for.
  convenience init(
    model: TestModel, instructionSet: InstructionSet, threadCount: Int = 1, rowsPerStepMax: Int = 64
  ) throws {
    let context = try KernelContext(instructionSet: instructionSet, threadCount: threadCount)
    try self.init(
      model.weights(context), context: context, slotCount: 8, rowsPerStepMax: rowsPerStepMax,
      kvType: model.kvType)
  }

  /// Logits of every row of `tokens`, run in chunks of the given sizes (the last repeats) in `slot`.
  func logits(of tokens: [Int32], chunks: [Int], slot: Int = 0) throws -> [[Float]] {
    var rows: [[Float]] = []
    var position = 0
    var chunk = 0
    while position < tokens.count {
      let count = min(chunks[min(chunk, chunks.count - 1)], tokens.count - position)
      var batch = RaggedBatch()
      batch.append(
        slot: slot, position: position, tokens: tokens[position..<position + count], logits: .all)
      rows += forward(batch) { self.rows(of: $0) }
      position += count
      chunk += 1
    }
    return rows
  }

  func rows(of logits: UnsafeMutableBufferPointer<Float>) -> [[Float]] {
    (0..<logits.count / vocabularySize).map {
      Array(logits[$0 * vocabularySize..<($0 + 1) * vocabularySize])
    }
  }
}

extension [Float] {
  /// Position of the largest, the first of equals.
  var argmax: Int { indices.max { self[$0] < self[$1] }! }

  /// Whether both hold the same bits.
  func sameBits(as other: [Float]) -> Bool { map(\.bitPattern) == other.map(\.bitPattern) }
}
