public import ApusModel

/// A model whose logits are a hash of everything its slot has seen, token by token and position by position,
/// so that a row in a wrong slot, order or position changes the output. Watches the contract of `StepModel`
/// and notes every breach; logits are overwritten with NaN once their closure has returned.
public final class FakeStepModel: StepModel {
  public let vocabularySize: Int
  public let slotCount: Int
  public let contextLength: Int
  public let rowsPerStepMax: Int
  private let pageSize: Int
  private let pageCount: Int

  /// Given a slot's history, the token that shall win, or nil to leave it to the hash.
  public var forcedToken: ([Int32]) -> Int32? = { _ in nil }
  /// Given a slot's history, whether its logits hold NaN.
  public var isPoisoned: ([Int32]) -> Bool = { _ in false }
  /// Is called at the start of each step.
  public var onForward: (RaggedBatch) -> Void = { _ in }

  public private(set) var violations: [String] = []
  public private(set) var stepCount = 0
  public private(set) var releaseCount = 0
  private var histories: [[Int32]]
  private var hashes: [UInt64]
  private var reserved: [Int]
  private var logits: UnsafeMutableBufferPointer<Float>

  public init(
    vocabularySize: Int = 61, slotCount: Int = 4, contextLength: Int = 64, rowsPerStepMax: Int = 64,
    pageSize: Int = 4, pageCount: Int = .max
  ) {
    self.vocabularySize = vocabularySize
    self.slotCount = slotCount
    self.contextLength = contextLength
    self.rowsPerStepMax = rowsPerStepMax
    self.pageSize = pageSize
    self.pageCount = pageCount
    histories = Array(repeating: [], count: slotCount)
    hashes = Array(repeating: 0, count: slotCount)
    reserved = Array(repeating: 0, count: slotCount)
    logits = .allocate(capacity: rowsPerStepMax * vocabularySize)
  }

  deinit { logits.deallocate() }

  /// Slots that hold anything.
  public var slotsInUse: [Int] { reserved.indices.filter { reserved[$0] > 0 || !histories[$0].isEmpty } }

  private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { violations.append("step \(stepCount): \(message())") }
  }

  private func pages(_ positions: Int) -> Int { (positions + pageSize - 1) / pageSize }

  public func reserve(slot: Int, positions: Int) throws(KVCacheError) {
    guard positions <= contextLength else {
      throw .beyondContext(slot: slot, positions: positions, contextLength: contextLength)
    }
    let free = pageCount == .max ? .max : pageCount - reserved.reduce(0) { $0 + pages($1) }
    let needed = pages(positions) - pages(reserved[slot])
    guard needed <= free else { throw .outOfPages(slot: slot, needed: needed, free: free) }
    reserved[slot] = max(reserved[slot], positions)
  }

  public func release(slot: Int) {
    check(reserved[slot] > 0, "slot \(slot) is released and holds nothing")
    reserved[slot] = 0
    histories[slot] = []
    hashes[slot] = 0
    releaseCount += 1
  }

  public func forward<R>(_ batch: RaggedBatch, _ body: (UnsafeMutableBufferPointer<Float>) -> R) -> R {
    stepCount += 1
    onForward(batch)
    check(batch.rowCount > 0 && batch.rowCount <= rowsPerStepMax, "\(batch.rowCount) rows")
    check(Set(batch.sequences.map(\.slot)).count == batch.sequences.count, "a slot occurs twice")
    var next = 0
    var written = 0
    for sequence in batch.sequences {
      check(sequence.rowStart == next && sequence.rowCount > 0, "rows are not laid end to end")
      next = sequence.rowStart + sequence.rowCount
      check((0..<slotCount).contains(sequence.slot), "no slot \(sequence.slot)")
      check(
        sequence.kvLength == histories[sequence.slot].count + sequence.rowCount,
        "slot \(sequence.slot) holds \(histories[sequence.slot].count), is said to hold \(sequence.kvLength)")
      check(sequence.kvLength <= reserved[sequence.slot], "slot \(sequence.slot) grows beyond its memory")
      for row in sequence.rowStart..<next {
        append(batch.tokenIDs[row], slot: sequence.slot)
        guard written < batch.logitRows.count, Int(batch.logitRows[written]) == row else { continue }
        writeLogits(row: written, slot: sequence.slot)
        written += 1
      }
    }
    check(next == batch.rowCount, "rows without a sequence")
    check(written == batch.logitRows.count, "logit rows that are not rows, or not increasing")
    let wanted = UnsafeMutableBufferPointer(rebasing: logits[..<(batch.logitRows.count * vocabularySize)])
    defer { logits.update(repeating: .nan) }
    return body(wanted)
  }

  private func append(_ token: Int32, slot: Int) {
    check(token >= 0 && Int(token) < vocabularySize, "no token \(token)")
    let position = UInt64(histories[slot].count)
    hashes[slot] = SplitMix64.mix(
      hashes[slot] ^ (position << 32 | UInt64(UInt32(bitPattern: token))) &+ 0x9E37_79B9_7F4A_7C15)
    histories[slot].append(token)
  }

  private func writeLogits(row: Int, slot: Int) {
    let first = row * vocabularySize
    var random = SplitMix64(seed: hashes[slot])
    // 24 bits each, in -4..<4.
    for index in first..<(first + vocabularySize) { logits[index] = Float(random.next() >> 40) * 0x1p-21 - 4 }
    if let token = forcedToken(histories[slot]) { logits[first + Int(token)] = 100 }
    if isPoisoned(histories[slot]) { logits[first + vocabularySize / 2] = .nan }
  }
}
