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

/// A paged cache of one layer, pages and slots in random order, poison wherever nothing was put: NaN, as element or as
/// scale. The layout of `ck_kv.h` is spelled out here once more.
final class PagedCache {
  let type: ck_kv_type
  let kvHeads: Int
  let size: Int
  let slots: Int
  let pagesPerSlot: Int
  let keys: GuardedBuffer<UInt8>
  let values: GuardedBuffer<UInt8>
  let table: GuardedBuffer<Int32>

  init(
    type: ck_kv_type = CK_KV_F32, kvHeads: Int, size: Int, slots: Int, positions: Int,
    random: inout SplitMix64
  ) {
    self.type = type
    self.kvHeads = kvHeads
    self.size = size
    self.slots = slots
    pagesPerSlot = (positions + 31) / 32
    let heads = slots * pagesPerSlot * kvHeads
    keys = GuardedBuffer(count: heads * Self.headBytes(type, size), alignment: 64)
    values = GuardedBuffer(count: heads * Self.headBytes(type, (size + 15) / 16 * 16), alignment: 64)
    table = GuardedBuffer((0..<Int32(slots * pagesPerSlot)).shuffled(using: &random))
  }

  var isIntact: Bool { keys.isIntact && values.isIntact && table.isIntact }

  private static func elementBytes(_ type: ck_kv_type) -> Int {
    type == CK_KV_F32 ? 4 : type == CK_KV_I8 ? 1 : 2
  }

  private static func scaleBytes(_ type: ck_kv_type) -> Int { type == CK_KV_I8 ? 32 * 4 : 0 }

  /// Of one head of a page, with `columns` elements for each of its positions.
  private static func headBytes(_ type: ck_kv_type, _ columns: Int) -> Int {
    scaleBytes(type) + 32 * columns * elementBytes(type)
  }

  /// Puts a head's key and value, `size` elements each, rounded by the portable kernel.
  func put(key: [Float], value: [Float], slot: Int, position: Int, head: Int) {
    key.withUnsafeBufferPointer { key in
      value.withUnsafeBufferPointer { value in
        put(
          key: key.baseAddress!, value: value.baseAddress!, slot: slot, position: position, head: head,
          ck_kernels(CK_ISA_PORTABLE)!.pointee.kv_append_head)
      }
    }
  }

  private func put(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, slot: Int, position: Int, head: Int,
    _ append: (UnsafePointer<ck_kv_head>?) -> Void
  ) {
    let page = Int(table[slot * pagesPerSlot + position / 32])
    let (place, columns) = (position % 32, (size + 15) / 16 * 16)
    put(
      key, UnsafeMutableRawPointer(keys.base) + (page * kvHeads + head) * Self.headBytes(type, size), place,
      first: place, stride: 32, append)
    put(
      value, UnsafeMutableRawPointer(values.base) + (page * kvHeads + head) * Self.headBytes(type, columns),
      place, first: place * columns, stride: 1, append)
  }

  private func put(
    _ x: UnsafePointer<Float>, _ head: UnsafeMutableRawPointer, _ place: Int, first: Int, stride: Int,
    _ append: (UnsafePointer<ck_kv_head>?) -> Void
  ) {
    var args = ck_kv_head(
      x: x, count: Int32(size), type: type,
      out: head + Self.scaleBytes(type) + first * Self.elementBytes(type), out_stride: stride,
      scale: type == CK_KV_I8 ? head.assumingMemoryBound(to: Float.self) + place : nil)
    append(&args)
  }

  /// Without a copy of each head: tests without optimization spend their time here.
  func fill(slot: Int, from history: History, positions: Range<Int>) {
    let append = ck_kernels(CK_ISA_PORTABLE)!.pointee.kv_append_head!
    history.keys.withUnsafeBufferPointer { keys in
      history.values.withUnsafeBufferPointer { values in
        var position = positions.lowerBound
        while position < positions.upperBound {
          var head = 0
          while head < kvHeads {
            let first = (position * kvHeads + head) * size
            put(
              key: keys.baseAddress! + first, value: values.baseAddress! + first, slot: slot,
              position: position, head: head, append)
            head += 1
          }
          position += 1
        }
      }
    }
  }

  var cValue: ck_kv {
    ck_kv(
      k: keys.base, v: values.base, page_table: UnsafePointer(table.base), page_table_stride: pagesPerSlot,
      num_kv_heads: Int32(kvHeads), head_size: Int32(size), type: type)
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
