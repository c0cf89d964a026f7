import CKernels
import TestSupport

/// Keys and values of one sequence, `[length, kvHeads, size]` each: what a cache is filled from.
struct History {
  var keys: [Float]
  var values: [Float]

  init(length: Int, kvHeads: Int, size: Int, magnitude: Float, random: inout SplitMix64) {
    keys = random.nextFloats(length * kvHeads * size, magnitude: magnitude)
    values = random.nextFloats(length * kvHeads * size)
  }
}

/// A paged cache of one layer, pages and slots in random order, NaN wherever nothing was put. The layout of
/// `ck_kv.h` is spelled out here once more.
final class PagedCache {
  let kvHeads: Int
  let size: Int
  let slots: Int
  let pagesPerSlot: Int
  let keys: GuardedBuffer<Float>
  let values: GuardedBuffer<Float>
  let table: GuardedBuffer<Int32>

  init(kvHeads: Int, size: Int, slots: Int, positions: Int, random: inout SplitMix64) {
    self.kvHeads = kvHeads
    self.size = size
    self.slots = slots
    pagesPerSlot = (positions + 31) / 32
    let pages = slots * pagesPerSlot
    keys = GuardedBuffer(count: pages * kvHeads * size * 32, alignment: 64)
    values = GuardedBuffer(count: pages * kvHeads * 32 * ((size + 15) / 16 * 16), alignment: 64)
    table = GuardedBuffer((0..<Int32(pages)).shuffled(using: &random))
  }

  var isIntact: Bool { keys.isIntact && values.isIntact && table.isIntact }

  private func page(_ slot: Int, _ position: Int) -> Int { Int(table[slot * pagesPerSlot + position / 32]) }

  func keyIndex(slot: Int, position: Int, head: Int, column: Int) -> Int {
    ((page(slot, position) * kvHeads + head) * size + column) * 32 + position % 32
  }

  func valueIndex(slot: Int, position: Int, head: Int, column: Int) -> Int {
    ((page(slot, position) * kvHeads + head) * 32 + position % 32) * ((size + 15) / 16 * 16) + column
  }

  func fill(slot: Int, from history: History, positions: Range<Int>) {
    for position in positions {
      for head in 0..<kvHeads {
        let source = (position * kvHeads + head) * size
        let key = keyIndex(slot: slot, position: position, head: head, column: 0)
        let value = valueIndex(slot: slot, position: position, head: head, column: 0)
        for column in 0..<size {
          keys.base[key + column * 32] = history.keys[source + column]
          values.base[value + column] = history.values[source + column]
        }
      }
    }
  }

  var cValue: ck_kv_f32 {
    ck_kv_f32(
      k: keys.base, v: values.base, page_table: UnsafePointer(table.base), page_table_stride: pagesPerSlot,
      num_kv_heads: Int32(kvHeads), head_size: Int32(size))
  }
}

/// The arrays of a `ck_ragged_batch`.
final class Ragged {
  let rowStart: GuardedBuffer<Int32>
  let slot: GuardedBuffer<Int32>
  let kvLength: GuardedBuffer<Int32>

  init(slots: [Int], rows: [Int], kvLengths: [Int]) {
    var starts: [Int32] = [0]
    for count in rows { starts.append(starts.last! + Int32(count)) }
    rowStart = GuardedBuffer(starts)
    slot = GuardedBuffer(slots.map { Int32($0) })
    kvLength = GuardedBuffer(kvLengths.map { Int32($0) })
  }

  var isIntact: Bool { rowStart.isIntact && slot.isIntact && kvLength.isIntact }

  var rowCount: Int { Int(rowStart[rowStart.count - 1]) }

  var cValue: ck_ragged_batch {
    ck_ragged_batch(
      num_sequences: Int32(slot.count), row_start: rowStart.base, slot: slot.base, kv_length: kvLength.base)
  }
}
