import CKernels

extension KernelWorkbench {
  private static let headSize = 64
  private static let groupHeads = 7
  private static let positions = Int(CK_ATTENTION_SPLIT)
  private static var record: Int { headSize + Int(CK_PARTIAL_EXTRA) }

  /// A split of 512 positions: one decoding token, whose keys and values come from memory, and four tokens of a
  /// prompt, whose are in the cache. Heads of a group share them, as in Qwen2-0.5B.
  func attentionCases() throws -> [KernelCase] {
    let pools: UnsafeMutablePointer<UInt32> = try allocate(Self.streamBytes / 4)
    fillPools(pools)
    let tiles = try [
      ("f32", CK_KV_F32, table.attention_tile_f32), ("f16", CK_KV_F16, table.attention_tile_f16),
      ("bf16", CK_KV_BF16, table.attention_tile_bf16), ("i8", CK_KV_I8, table.attention_tile_i8),
    ].flatMap { name, type, kernel in try tileCases("attention_tile_" + name, kernel, type, pools) }
    return try tiles + [mergeCase(), outputCase()]
  }

  private typealias TileKernel = @convention(c) (UnsafePointer<ck_attention_tile>?) -> Void

  /// Bits that are small numbers of either sign in every type, as elements and as scales.
  private func fillPools(_ pools: UnsafeMutablePointer<UInt32>) {
    var state: UInt32 = 1
    for index in 0..<Self.streamBytes / 4 {
      state = state &* 1_664_525 &+ 1_013_904_223
      pools[index] = (state >> 4 | state << 28) & 0x80ff_80ff | 0x3c00_3c00
    }
  }

  private func tileCases(
    _ name: String, _ kernel: @escaping TileKernel, _ type: ck_kv_type, _ pools: UnsafeMutablePointer<UInt32>
  ) throws -> [KernelCase] {
    let pagesPerSplit = Self.positions / Int(CK_KV_PAGE)
    let pageBytes = ck_kv_k_page_bytes(type, 1, Int32(Self.headSize))
    let splits = Self.streamBytes / 2 / (pagesPerSplit * pageBytes)
    let pages: UnsafeMutablePointer<Int32> = try allocate(splits * pagesPerSplit)
    for page in 0..<splits * pagesPerSplit { pages[page] = Int32(page) }
    let cache: UnsafeMutablePointer<ck_kv> = try allocate(1)
    cache.initialize(
      to: ck_kv(
        k: pools, v: pools + Self.streamBytes / 8, page_table: pages, page_table_stride: pagesPerSplit,
        num_kv_heads: 1, head_size: Int32(Self.headSize), type: type))
    return try [(1, splits, KernelCase.Place.memory), (4, 1, .cache)].map { tokens, splits, place in
      try tileCase(name, kernel, tokens: tokens, splits: splits, place: place, cache: cache)
    }
  }

  private func tileCase(
    _ name: String, _ kernel: @escaping TileKernel, tokens: Int, splits: Int, place: KernelCase.Place,
    cache: UnsafeMutablePointer<ck_kv>
  ) throws -> KernelCase {
    let rows = tokens * Self.groupHeads, visible = Self.positions
    let query = try floats(rows * Self.headSize)
    let scores = try floats(rows * Int(CK_ATTENTION_BLOCK)), partials = try floats(rows * Self.record)
    let widened = try floats(ck_attention_widened_elements(Int32(Self.headSize)))
    let pagesPerSplit = visible / Int(CK_KV_PAGE)
    let splitBytes = 2 * pagesPerSplit * ck_kv_k_page_bytes(cache.pointee.type, 1, Int32(Self.headSize))
    return KernelCase(
      kernel: name, shape: "\(tokens) x \(Self.groupHeads) heads of \(Self.headSize), \(visible) keys",
      place: place, bytes: splits * splitBytes, operations: splits * 4 * rows * visible * Self.headSize
    ) {
      for split in 0..<splits {
        var tile = ck_attention_tile(
          q: query, kv: cache, pages: cache.pointee.page_table + split * pagesPerSplit, kv_head: 0,
          num_tokens: Int32(tokens), num_heads: Int32(Self.groupHeads),
          first_position: Int32(visible - tokens), window: 0, begin: 0, end: Int32(visible), mask: nil,
          mask_stride: 0, scores: scores, widened: widened, partials: partials, partial_stride: Self.record)
        kernel(&tile)
      }
    }
  }

  private func mergeCase() throws -> KernelCase {
    let into = try floats(Self.record), partial = try floats(Self.record)
    let softmax = Self.headSize
    for record in [into, partial] {
      record[softmax + Int(CK_PARTIAL_MAXIMUM)] = 0
      record[softmax + Int(CK_PARTIAL_SUM)] = 1
    }
    return KernelCase(
      kernel: "attention_merge_row_f32", shape: "\(Self.headSize)", place: .cache,
      bytes: 4 * 3 * Self.headSize
    ) { [table] in
      into[softmax + Int(CK_PARTIAL_SUM)] = 1
      table.attention_merge_row_f32(into, partial, Int32(Self.headSize))
    }
  }

  private func outputCase() throws -> KernelCase {
    let partial = try floats(Self.record), out = try floats(Self.headSize)
    partial[Self.headSize + Int(CK_PARTIAL_SUM)] = 2
    return KernelCase(
      kernel: "attention_output_row_f32", shape: "\(Self.headSize)", place: .cache,
      bytes: 4 * 2 * Self.headSize
    ) { [table] in
      table.attention_output_row_f32(out, partial, Int32(Self.headSize), Int32(Self.headSize))
    }
  }
}

extension KernelWorkbench {
  /// A row of Qwen2's vocabulary.
  func samplingCases() throws -> [KernelCase] {
    let count = 151_936
    let logits = try floats(count), weights = try floats(count)
    let blocks = try floats(count / Int(CK_LOGIT_BLOCK) + 1)
    let row = { (max: Float) in
      ck_logit_blocks(
        logits: logits, count: Int32(count), max: max, temperature: 1, weights: weights, block_value: blocks,
        is_valid: true)
    }
    return [
      KernelCase(
        kernel: "logit_scan_blocks_f32", shape: "\(count)", place: .cache, bytes: 4 * count
      ) { [table] in
        var blocks = row(0)
        table.logit_scan_blocks_f32(&blocks)
      },
      KernelCase(
        kernel: "logit_weight_blocks_f32", shape: "\(count)", place: .cache, bytes: 8 * count
      ) { [table] in
        var blocks = row(1)
        table.logit_weight_blocks_f32(&blocks)
      },
    ]
  }
}
