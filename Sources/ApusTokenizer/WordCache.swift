/// Remembers the ids of short words while one text is encoded.
///
/// A table with one place a hash, so of fixed size; words are kept whole, so that none is taken for another.
struct WordCache {
  /// A word of up to 16 bytes.
  fileprivate struct Key: Equatable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var count: UInt8 = 0
  }

  private struct Slot {
    var key = Key()
    var first: Int32 = 0
    var second: Int32 = 0
    /// 0 where the slot is free.
    var idCount: UInt8 = 0
  }

  /// Where a word belongs.
  struct Place {
    fileprivate var key: Key
    fileprivate var slot: Int
  }

  private static let slotCount = 4096
  /// A shorter text repeats too few words to pay for the table.
  private static let byteCountMin = 2048

  private var slots: [Slot]

  init(textByteCount: Int) {
    slots = textByteCount < Self.byteCountMin ? [] : Array(repeating: Slot(), count: Self.slotCount)
  }

  /// Nil where the word is too long to be remembered.
  @inline(__always)
  func place(of word: UnsafeBufferPointer<UInt8>) -> Place? {
    guard !slots.isEmpty, word.count <= 16 else { return nil }
    var key = Key(count: UInt8(word.count))
    for index in 0..<min(word.count, 8) { key.low = key.low << 8 | UInt64(word[index]) }
    for index in 8..<max(word.count, 8) { key.high = key.high << 8 | UInt64(word[index]) }
    let hash = (key.low ^ key.high &* 0xBF58_476D_1CE4_E5B9) &* 0x9E37_79B9_7F4A_7C15
    return Place(key: key, slot: Int(hash >> 40) & (Self.slotCount - 1))
  }

  @inline(__always)
  func appendIDs(at place: Place, to ids: inout [Int32]) -> Bool {
    let slot = slots[place.slot]
    guard slot.idCount > 0, slot.key == place.key else { return false }
    ids.append(slot.first)
    if slot.idCount > 1 { ids.append(slot.second) }
    return true
  }

  /// Keeps words of one or two ids: nearly all.
  mutating func store(_ ids: ArraySlice<Int32>, at place: Place) {
    guard let first = ids.first, let last = ids.last, ids.count <= 2 else { return }
    slots[place.slot] = Slot(key: place.key, first: first, second: last, idCount: UInt8(ids.count))
  }
}
