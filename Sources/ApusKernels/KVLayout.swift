import CKernels

/// Type that keys and values are held in.
public enum KVType: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// Eight bits, times a float32 scale for each position and head.
  case int8

  var cValue: ck_kv_type {
    switch self {
    case .f32: CK_KV_F32
    case .f16: CK_KV_F16
    case .bf16: CK_KV_BF16
    case .int8: CK_KV_I8
    }
  }
}

/// Sizes of the paged cache of keys and values: see `ck_kv.h` for what lies where.
public struct KVLayout: Sendable, Equatable {
  public let kvHeadCount: Int
  public let headSize: Int
  public let type: KVType

  /// Positions of one page.
  public static let pageSize = Int(CK_KV_PAGE)

  public init(kvHeadCount: Int, headSize: Int, type: KVType = .f32) {
    self.kvHeadCount = kvHeadCount
    self.headSize = headSize
    self.type = type
  }

  /// Bytes of one page of keys of one layer, scales included.
  public var keyPageByteCount: Int {
    ck_kv_k_page_bytes(type.cValue, Int32(kvHeadCount), Int32(headSize))
  }

  /// Bytes of one page of values of one layer, scales included.
  public var valuePageByteCount: Int {
    ck_kv_v_page_bytes(type.cValue, Int32(kvHeadCount), Int32(headSize))
  }

  /// Bytes of one position's key and value in one layer, scales and padding included.
  public var positionByteCount: Int { (keyPageByteCount + valuePageByteCount) / Self.pageSize }
}

/// One layer's pools of key and value pages, and the table that says which pages a slot holds.
public struct KVPages {
  public var layout: KVLayout
  /// Pages of `keyPageByteCount`, 64-byte aligned.
  public var keys: UnsafeMutableRawPointer
  /// Pages of `valuePageByteCount`, 64-byte aligned.
  public var values: UnsafeMutableRawPointer
  /// `[slots, pagesPerSlot]`
  public var pageTable: UnsafePointer<Int32>
  public var pagesPerSlot: Int

  public init(
    layout: KVLayout, keys: UnsafeMutableRawPointer, values: UnsafeMutableRawPointer,
    pageTable: UnsafePointer<Int32>, pagesPerSlot: Int
  ) {
    self.layout = layout
    self.keys = keys
    self.values = values
    self.pageTable = pageTable
    self.pagesPerSlot = pagesPerSlot
  }

  var cValue: ck_kv {
    ck_kv(
      k: keys, v: values, page_table: pageTable, page_table_stride: pagesPerSlot,
      num_kv_heads: Int32(layout.kvHeadCount), head_size: Int32(layout.headSize),
      type: layout.type.cValue)
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

  public var rowCount: Int { Int(rowStart[sequenceCount]) }

  var cValue: ck_ragged_batch {
    ck_ragged_batch(
      num_sequences: Int32(sequenceCount), row_start: rowStart, slot: slot, kv_length: kvLength)
  }
}
