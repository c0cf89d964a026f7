/// A model with its KV cache, as an engine drives it: say which pages hold a slot's positions, run a step, read
/// logits.
///
/// The cache is a pool of pages of `pageSize` positions. Who drives the model decides which page holds what; the
/// model keeps the page table and the memory. Position `p` of a slot lies in the page assigned to entry
/// `p / pageSize`. A page may be assigned to several slots, which then share what it holds: none may write to it.
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
  /// Positions of a page.
  var pageSize: Int { get }
  /// Pages of the pool, numbered from 0.
  var pageCount: Int { get }

  /// From now on `page` holds positions `index * pageSize ..< (index + 1) * pageSize` of `slot`.
  func assign(page: Int32, slot: Int, index: Int)

  /// Makes `target` hold what `source` holds.
  func copyPage(_ source: Int32, to target: Int32)

  /// Runs every row through the model, writing each to its position of its slot, and calls `body` with the logits
  /// of `batch.logitRows`, row-major `[logitRows.count, vocabularySize]`, valid inside `body` only. The engine may
  /// overwrite them there.
  func forward<R>(_ batch: RaggedBatch, _ body: (UnsafeMutableBufferPointer<Float>) -> R) -> R
}
