/// A model with its KV cache, as an engine drives it: reserve positions, run a step, read logits, release.
///
/// Not thread-safe: one engine, on one thread, owns it.
public protocol StepModel: AnyObject {
  /// Logits per row.
  var vocabularySize: Int { get }
  /// KV slots, numbered from 0.
  var slotCount: Int { get }
  /// Positions one sequence may hold, prompt and generated tokens together.
  var contextLength: Int { get }
  /// Rows one `forward` may be given.
  var rowsPerStepMax: Int { get }

  /// Makes sure that `slot` can hold `positions` positions. Keeps what it holds.
  /// - Throws: `KVCacheError.outOfPages`; the slot is then as before.
  func reserve(slot: Int, positions: Int) throws(KVCacheError)

  /// Forgets the slot's history and gives its memory back to the pool.
  func release(slot: Int)

  /// Runs every row through the model, appending to each slot's history, and calls `body` with the logits of
  /// `batch.logitRows`, row-major `[logitRows.count, vocabularySize]`, valid inside `body` only. The engine may
  /// overwrite them there.
  func forward<R>(_ batch: RaggedBatch, _ body: (UnsafeMutableBufferPointer<Float>) -> R) -> R
}

/// Why a slot could not grow.
public enum KVCacheError: Error, Sendable, Equatable {
  /// The pool has fewer free pages than the slot still needs.
  case outOfPages(slot: Int, needed: Int, free: Int)
  /// More positions than the cache gives one sequence.
  case beyondContext(slot: Int, positions: Int, contextLength: Int)
}
