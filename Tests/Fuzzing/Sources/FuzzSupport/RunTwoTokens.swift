import ApusKernels
import ApusModel

/// Runs what has loaded.
public func runTwoTokens(_ weights: PackedWeights, context: KernelContext) {
  guard
    let session = try? TransformerSession(
      weights, context: context, slotCount: 1, contextLength: min(2, weights.configuration.contextLength),
      rowsPerStepMax: 2)
  else { return }
  let positions = session.contextLength
  var batch = RaggedBatch()
  batch.append(slot: 0, position: 0, tokens: (0..<positions).map { _ in 0 }, logits: .last)
  session.forward(batch) { precondition($0.count == session.vocabularySize) }
}
