import ApusKernels

/// A batch in the arrays that kernels read, refilled every step.
struct StepRows {
  private(set) var tokenIDs: [Int32] = []
  private(set) var logitRows: [Int32] = []
  private(set) var all = Runs()
  /// The rows whose logits are wanted, without those between them.
  private(set) var wanted = Runs()

  /// Consecutive rows of one slot after those of another: see `RaggedRows`.
  struct Runs {
    private var rowStart: [Int32] = [0]
    private var slot: [Int32] = []
    private var kvLength: [Int32] = []

    mutating func reserveCapacity(sequences: Int) {
      rowStart.reserveCapacity(sequences + 1)
      slot.reserveCapacity(sequences)
      kvLength.reserveCapacity(sequences)
    }

    mutating func removeAll() {
      rowStart.removeAll(keepingCapacity: true)
      rowStart.append(0)
      slot.removeAll(keepingCapacity: true)
      kvLength.removeAll(keepingCapacity: true)
    }

    /// The last `rowCount` positions of the slot's `kvLength`, if any.
    mutating func append(slot: Int, rowCount: Int, kvLength: Int) {
      guard rowCount > 0 else { return }
      rowStart.append(rowStart[rowStart.count - 1] + Int32(rowCount))
      self.slot.append(Int32(slot))
      self.kvLength.append(Int32(kvLength))
    }

    func withUnsafeRows(_ body: (RaggedRows) -> Void) {
      rowStart.withUnsafeBufferPointer { rowStart in
        slot.withUnsafeBufferPointer { slot in
          kvLength.withUnsafeBufferPointer { kvLength in
            body(
              RaggedRows(
                sequenceCount: slot.count, rowStart: rowStart.baseAddress!, slot: slot.baseAddress!,
                kvLength: kvLength.baseAddress!))
          }
        }
      }
    }
  }

  mutating func reserveCapacity(rows: Int, sequences: Int) {
    tokenIDs.reserveCapacity(rows)
    logitRows.reserveCapacity(rows)
    all.reserveCapacity(sequences: sequences)
    wanted.reserveCapacity(sequences: sequences)
  }

  mutating func fill(_ batch: RaggedBatch) {
    // Not the batch's own arrays: they would no longer be the batch's alone, and copied when it is refilled.
    tokenIDs.removeAll(keepingCapacity: true)
    tokenIDs.append(contentsOf: batch.tokenIDs)
    logitRows.removeAll(keepingCapacity: true)
    logitRows.append(contentsOf: batch.logitRows)
    all.removeAll()
    wanted.removeAll()
    var next = 0
    for sequence in batch.sequences {
      all.append(slot: sequence.slot, rowCount: sequence.rowCount, kvLength: sequence.kvLength)
      // A sequence's wanted rows are its last ones, so that they are a run too.
      let end = sequence.rowStart + sequence.rowCount
      let first = next
      while next < logitRows.count, Int(logitRows[next]) < end { next += 1 }
      precondition(
        first == next || Int(logitRows[first]) == end - (next - first), "wanted rows are not the last ones")
      wanted.append(slot: sequence.slot, rowCount: next - first, kvLength: sequence.kvLength)
    }
  }
}
