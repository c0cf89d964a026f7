/// Applies the merges of byte pair encoding to one word: lowest rank first, leftmost first among equals.
///
/// Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, 2016.
/// A value with working memory to reuse from word to word.
struct BytePairMerger {
  /// Up to this many symbols a search for the lowest rank each time beats a queue.
  private static let scanMax = 48
  private static let noRank = UInt32.max

  /// The word: initial symbols in, tokens out.
  var symbols: [Int32] = []
  private var ranks: [UInt32] = []
  private var previous: [Int32] = []
  private var next: [Int32] = []
  private var queue = RankQueue()

  mutating func merge(_ table: MergeTable) {
    guard symbols.count > 1 else { return }
    if symbols.count <= Self.scanMax { mergeByScan(table) } else { mergeByQueue(table) }
  }

  private mutating func mergeByScan(_ table: MergeTable) {
    ranks.removeAll(keepingCapacity: true)
    for index in 1..<symbols.count {
      ranks.append(table[symbols[index - 1], symbols[index]]?.rank ?? Self.noRank)
    }
    let count = symbols.withUnsafeMutableBufferPointer { symbols in
      ranks.withUnsafeMutableBufferPointer { Self.scan(symbols, $0, table) }
    }
    symbols.removeSubrange(count...)
  }

  /// `ranks` holds the rank of each symbol with the next one. Returns how many symbols are left.
  private static func scan(
    _ symbols: UnsafeMutableBufferPointer<Int32>, _ ranks: UnsafeMutableBufferPointer<UInt32>,
    _ table: MergeTable
  ) -> Int {
    var count = symbols.count
    while count > 1 {
      var lowest = 0
      for index in 1..<max(count - 1, 1) where ranks[index] < ranks[lowest] { lowest = index }
      guard ranks[lowest] != noRank, let merged = table[symbols[lowest], symbols[lowest + 1]] else { break }
      count -= 1
      symbols[lowest] = merged.token
      for index in lowest + 1..<max(count, lowest + 1) { symbols[index] = symbols[index + 1] }
      for index in lowest..<max(count - 1, lowest) { ranks[index] = ranks[index + 1] }
      if lowest < count - 1 { ranks[lowest] = table[merged.token, symbols[lowest + 1]]?.rank ?? noRank }
      if lowest > 0 { ranks[lowest - 1] = table[symbols[lowest - 1], merged.token]?.rank ?? noRank }
    }
    return count
  }

  /// A doubly linked list of symbols and a queue of pairs by rank and place: n log n on words of any length.
  private mutating func mergeByQueue(_ table: MergeTable) {
    let count = symbols.count
    previous = (0..<Int32(count)).map { $0 - 1 }
    next = (0..<Int32(count)).map { $0 + 1 }
    queue.removeAll()
    for index in 0..<count - 1 { enqueue(index, table) }
    while let (rank, index) = queue.popLowest() {
      let right = Int(next[index])
      // A pair that has changed since it was queued no longer has this rank.
      guard symbols[index] >= 0, right < count, let merged = table[symbols[index], symbols[right]],
        merged.rank == rank
      else { continue }
      symbols[index] = merged.token
      symbols[right] = -1
      next[index] = next[right]
      if Int(next[right]) < count {
        previous[Int(next[right])] = Int32(index)
        enqueue(index, table)
      }
      if previous[index] >= 0 { enqueue(Int(previous[index]), table) }
    }
    symbols.removeAll { $0 < 0 }
  }

  private mutating func enqueue(_ index: Int, _ table: MergeTable) {
    if let merge = table[symbols[index], symbols[Int(next[index])]] { queue.push(merge.rank, index) }
  }
}

/// A binary heap of ranks and places, lowest rank first, then lowest place.
private struct RankQueue {
  private var heap: [UInt64] = []

  mutating func removeAll() {
    heap.removeAll(keepingCapacity: true)
  }

  mutating func push(_ rank: UInt32, _ index: Int) {
    let key = UInt64(rank) << 32 | UInt64(index)
    heap.append(key)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard key < heap[parent] else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = key
  }

  mutating func popLowest() -> (rank: UInt32, index: Int)? {
    guard let lowest = heap.first else { return nil }
    let key = heap.removeLast()
    if !heap.isEmpty {
      var parent = 0
      while true {
        var child = parent * 2 + 1
        guard child < heap.count else { break }
        if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
        guard heap[child] < key else { break }
        heap[parent] = heap[child]
        parent = child
      }
      heap[parent] = key
    }
    return (UInt32(lowest >> 32), Int(lowest & 0xFFFF_FFFF))
  }
}
