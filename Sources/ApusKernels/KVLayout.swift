import CKernels

/// Sizes of the paged cache of keys and values, float32: see `ck_kv.h` for what lies where.
public struct KVLayout: Sendable, Equatable {
  public let kvHeadCount: Int
  public let headSize: Int

  /// Positions of one page.
  public static let pageSize = Int(CK_KV_PAGE)

  public init(kvHeadCount: Int, headSize: Int) {
    self.kvHeadCount = kvHeadCount
    self.headSize = headSize
  }

  /// Floats of one page of keys of one layer.
  public var keyPageElements: Int { ck_kv_k_page_elements(Int32(kvHeadCount), Int32(headSize)) }

  /// Floats of one page of values of one layer.
  public var valuePageElements: Int { ck_kv_v_page_elements(Int32(kvHeadCount), Int32(headSize)) }
}

/// One layer's pools of key and value pages, and the table that says which pages a slot holds.
public struct KVPages {
  public var layout: KVLayout
  /// `[pages, keyPageElements]`, 64-byte aligned.
  public var keys: UnsafeMutablePointer<Float>
  /// `[pages, valuePageElements]`, 64-byte aligned.
  public var values: UnsafeMutablePointer<Float>
  /// `[slots, pagesPerSlot]`
  public var pageTable: UnsafePointer<Int32>
  public var pagesPerSlot: Int

  public init(
    layout: KVLayout, keys: UnsafeMutablePointer<Float>, values: UnsafeMutablePointer<Float>,
    pageTable: UnsafePointer<Int32>, pagesPerSlot: Int
  ) {
    self.layout = layout
    self.keys = keys
    self.values = values
    self.pageTable = pageTable
    self.pagesPerSlot = pagesPerSlot
  }

  var cValue: ck_kv_f32 {
    ck_kv_f32(
      k: keys, v: values, page_table: pageTable, page_table_stride: pagesPerSlot,
      num_kv_heads: Int32(layout.kvHeadCount), head_size: Int32(layout.headSize))
  }
}

/// Which rows of a step belong to which slot: see `ck_ragged_batch`.
public struct RaggedRows {
  public var sequenceCount: Int
  /// `[sequenceCount + 1]`; the last entry is the number of rows.
  public var rowStart: UnsafePointer<Int32>
  /// `[sequenceCount]`
  public var slot: UnsafePointer<Int32>
  /// `[sequenceCount]` positions of each slot once this step's rows are appended.
  public var kvLength: UnsafePointer<Int32>

  public init(
    sequenceCount: Int, rowStart: UnsafePointer<Int32>, slot: UnsafePointer<Int32>,
    kvLength: UnsafePointer<Int32>
  ) {
    self.sequenceCount = sequenceCount
    self.rowStart = rowStart
    self.slot = slot
    self.kvLength = kvLength
  }

  var cValue: ck_ragged_batch {
    ck_ragged_batch(
      num_sequences: Int32(sequenceCount), row_start: rowStart, slot: slot, kv_length: kvLength)
  }
}
