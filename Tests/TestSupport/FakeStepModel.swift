public import ApusModel

/// A model whose cache holds tokens, page by page, and whose logits are a hash of all tokens that the page table gives
/// a row: a row in a wrong slot, order, position or page changes the output, and so does a page that was written over.
/// Watches the contract of `StepModel` and notes every breach; logits are overwritten with NaN once their closure has
/// returned.
public final class FakeStepModel: StepModel {
  public let vocabularySize: Int
  public let slotCount: Int
  public let contextLength: Int
  public let rowsPerStepMax: Int
  public let pageSize: Int
  public let pageCount: Int

  /// Given a row's history, the token that shall win, or nil to leave it to the hash.
  public var forcedToken: ([Int32]) -> Int32? = { _ in nil }
  /// Given a row's history, whether its logits hold NaN.
  public var isPoisoned: ([Int32]) -> Bool = { _ in false }
  /// Is called at the start of each step.
  public var onForward: (RaggedBatch) -> Void = { _ in }

  public private(set) var violations: [String] = []
  public private(set) var stepCount = 0
  /// Rows run so far.
  public private(set) var rowCount = 0
  /// Token and hash at each position of each page; -1: never written.
  private var tokens: [Int32]
  private var table: [Int32]
  private let pagesPerSlot: Int
  private var logits: UnsafeMutableBufferPointer<Float>

  /// - Parameter pageCount: nil for as many as full slots need.
  public init(
    vocabularySize: Int = 61, slotCount: Int = 4, contextLength: Int = 64, rowsPerStepMax: Int = 64,
    pageSize: Int = 4, pageCount: Int? = nil
  ) {
    self.vocabularySize = vocabularySize
    self.slotCount = slotCount
    self.contextLength = contextLength
    self.rowsPerStepMax = rowsPerStepMax
    self.pageSize = pageSize
    pagesPerSlot = (contextLength + pageSize - 1) / pageSize
    self.pageCount = pageCount ?? slotCount * pagesPerSlot
    tokens = Array(repeating: -1, count: self.pageCount * pageSize)
    // As in a session: with pages for all, each slot holds its own from the start.
    let entries = 0..<slotCount * pagesPerSlot
    let isFull = (pageCount ?? entries.count) == entries.count
    table = entries.map { isFull ? Int32($0) : -1 }
    logits = .allocate(capacity: rowsPerStepMax * vocabularySize)
  }

  deinit { logits.deallocate() }

  private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { violations.append("step \(stepCount): \(message())") }
  }

  public func assign(page: Int32, slot: Int, index: Int) {
    guard (0..<slotCount).contains(slot), (0..<pagesPerSlot).contains(index), page >= 0, Int(page) < pageCount
    else { return violations.append("page \(page) is assigned to entry \(index) of slot \(slot)") }
    table[slot * pagesPerSlot + index] = page
  }

  public func copyPage(_ source: Int32, to target: Int32) {
    check(source != target, "page \(source) is copied to itself")
    for offset in 0..<pageSize {
      tokens[Int(target) * pageSize + offset] = tokens[Int(source) * pageSize + offset]
    }
  }

  private func entry(slot: Int, position: Int) -> Int? {
    let page = table[slot * pagesPerSlot + position / pageSize]
    return page < 0 ? nil : Int(page) * pageSize + position % pageSize
  }

  public func forward<R>(_ batch: RaggedBatch, _ body: (UnsafeMutableBufferPointer<Float>) -> R) -> R {
    stepCount += 1
    rowCount += batch.rowCount
    onForward(batch)
    check(batch.rowCount > 0 && batch.rowCount <= rowsPerStepMax, "\(batch.rowCount) rows")
    check(Set(batch.sequences.map(\.slot)).count == batch.sequences.count, "a slot occurs twice")
    // All rows are written before any is read, as in a layer of a transformer.
    var next = 0
    for sequence in batch.sequences {
      check(sequence.rowStart == next && sequence.rowCount > 0, "rows are not laid end to end")
      next = sequence.rowStart + sequence.rowCount
      check((0..<slotCount).contains(sequence.slot), "no slot \(sequence.slot)")
      check(sequence.kvLength <= contextLength, "slot \(sequence.slot) grows beyond the context")
      for row in sequence.rowStart..<next {
        let position = sequence.kvLength - sequence.rowCount + row - sequence.rowStart
        check(
          batch.tokenIDs[row] >= 0 && Int(batch.tokenIDs[row]) < vocabularySize,
          "no token \(batch.tokenIDs[row])")
        guard let entry = entry(slot: sequence.slot, position: position) else {
          violations.append("step \(stepCount): slot \(sequence.slot) has no page for position \(position)")
          continue
        }
        tokens[entry] = batch.tokenIDs[row]
      }
    }
    check(next == batch.rowCount, "rows without a sequence")
    var written = 0
    for sequence in batch.sequences { readRows(of: sequence, batch, &written) }
    check(written == batch.logitRows.count, "logit rows that are not rows, or not increasing")
    let wanted = UnsafeMutableBufferPointer(rebasing: logits[..<(batch.logitRows.count * vocabularySize)])
    defer { logits.update(repeating: .nan) }
    return body(wanted)
  }

  private func readRows(of sequence: RaggedBatch.Sequence, _ batch: RaggedBatch, _ written: inout Int) {
    for row in sequence.rowStart..<sequence.rowStart + sequence.rowCount {
      guard written < batch.logitRows.count, Int(batch.logitRows[written]) == row else { continue }
      let last = sequence.kvLength - sequence.rowCount + row - sequence.rowStart
      let history = (0...last).map { position in
        entry(slot: sequence.slot, position: position).map { tokens[$0] } ?? -1
      }
      check(!history.contains(-1), "slot \(sequence.slot) reads a position that was never written")
      writeLogits(row: written, history)
      written += 1
    }
  }

  private func writeLogits(row: Int, _ history: [Int32]) {
    var hash: UInt64 = 0
    for (position, token) in history.enumerated() {
      let word = UInt64(position) << 32 | UInt64(UInt32(bitPattern: token))
      hash = SplitMix64.mix(hash ^ word &+ 0x9E37_79B9_7F4A_7C15)
    }
    let first = row * vocabularySize
    var random = SplitMix64(seed: hash)
    // 24 bits each, in -4..<4.
    for index in first..<(first + vocabularySize) { logits[index] = Float(random.next() >> 40) * 0x1p-21 - 4 }
    if let token = forcedToken(history) { logits[first + Int(token)] = 100 }
    if isPoisoned(history) { logits[first + vocabularySize / 2] = .nan }
  }
}
