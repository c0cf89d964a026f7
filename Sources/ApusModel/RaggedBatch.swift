/// One step's rows of all sequences, laid end to end: no padding, so an idle slot costs nothing.
///
/// Row `r` of sequence `s` (`s.rowStart <= r < s.rowStart + s.rowCount`) holds one token at position
/// `s.kvLength - s.rowCount + (r - s.rowStart)` of that sequence. Decode sequences have one row, prefill
/// chunks as many as the plan gave them; the model does not tell them apart.
public struct RaggedBatch: Sendable, Equatable {
  /// A run of consecutive rows that belong to one slot.
  public struct Sequence: Sendable, Equatable {
    /// The KV slot whose history these rows extend. Distinct within a batch.
    public var slot: Int
    /// First row of the run. Runs are consecutive: each starts where the one before ended.
    public var rowStart: Int
    /// Rows in the run, at least 1.
    public var rowCount: Int
    /// Positions the slot's cache holds once this step has run, these rows included.
    public var kvLength: Int

    public init(slot: Int, rowStart: Int, rowCount: Int, kvLength: Int) {
      self.slot = slot
      self.rowStart = rowStart
      self.rowCount = rowCount
      self.kvLength = kvLength
    }
  }

  /// Token of each row, [rows].
  public private(set) var tokenIDs: [Int32] = []
  public private(set) var sequences: [Sequence] = []
  /// Rows whose logits are wanted, strictly increasing. Logits come back in this order.
  public private(set) var logitRows: [Int32] = []

  public var rowCount: Int { tokenIDs.count }

  public init() {}

  /// Makes room once, so that refilling the batch every step allocates nothing.
  public mutating func reserveCapacity(rows: Int, sequences: Int) {
    tokenIDs.reserveCapacity(rows)
    self.sequences.reserveCapacity(sequences)
    logitRows.reserveCapacity(rows)
  }

  /// Empties the batch and keeps its memory.
  public mutating func removeAll() {
    tokenIDs.removeAll(keepingCapacity: true)
    sequences.removeAll(keepingCapacity: true)
    logitRows.removeAll(keepingCapacity: true)
  }

  /// Which rows of a run need logits.
  public enum LogitRows: Sendable, Equatable {
    case none, last, all
  }

  /// Appends a run of rows for `slot`, whose cache holds `position` positions before this step.
  public mutating func append(
    slot: Int, position: Int, tokens: some Collection<Int32>, logits: LogitRows
  ) {
    let start = tokenIDs.count
    tokenIDs.append(contentsOf: tokens)
    let count = tokenIDs.count - start
    precondition(count > 0, "a sequence without rows")
    sequences.append(Sequence(slot: slot, rowStart: start, rowCount: count, kvLength: position + count))
    switch logits {
    case .none: break
    case .last: logitRows.append(Int32(tokenIDs.count - 1))
    case .all: for row in start..<tokenIDs.count { logitRows.append(Int32(row)) }
    }
  }
}
