import CKernels

extension KernelWorkbench {
  private static let headSize = 64
  private static let groupHeads = 7
  private static let positions = Int(CK_ATTENTION_SPLIT)
  private static var record: Int { headSize + Int(CK_PARTIAL_EXTRA) }

  /// A split of 512 positions: one decoding token, whose keys and values come from memory, and four tokens of a
  /// prompt, whose are in the cache. Heads of a group share them, as in Qwen2-0.5B.
  func attentionCases() throws -> [KernelCase] {
    let pagesPerSplit = Self.positions / Int(CK_KV_PAGE)
    let pageBytes = 4 * ck_kv_k_page_elements(1, Int32(Self.headSize))
    let splits = Self.streamBytes / 2 / (pagesPerSplit * pageBytes)
    let keys = try floats(splits * pagesPerSplit * pageBytes / 4)
    let values = try floats(splits * pagesPerSplit * pageBytes / 4)
    let pages: UnsafeMutablePointer<Int32> = try allocate(splits * pagesPerSplit)
    for page in 0..<splits * pagesPerSplit { pages[page] = Int32(page) }
    let cache: UnsafeMutablePointer<ck_kv_f32> = try allocate(1)
    cache.initialize(
      to: ck_kv_f32(
        k: keys, v: values, page_table: pages, page_table_stride: pagesPerSplit, num_kv_heads: 1,
        head_size: Int32(Self.headSize)))
    return try [
      tileCase(tokens: 1, splits: splits, place: .memory, pages: pages, cache: cache),
      tileCase(tokens: 4, splits: 1, place: .cache, pages: pages, cache: cache),
      mergeCase(), outputCase(),
    ]
  }

  private func tileCase(
    tokens: Int, splits: Int, place: KernelCase.Place, pages: UnsafeMutablePointer<Int32>,
    cache: UnsafeMutablePointer<ck_kv_f32>
  ) throws -> KernelCase {
    let rows = tokens * Self.groupHeads, visible = Self.positions
    let query = try floats(rows * Self.headSize)
    let scores = try floats(rows * Int(CK_ATTENTION_BLOCK)), partials = try floats(rows * Self.record)
    let pagesPerSplit = visible / Int(CK_KV_PAGE)
    return KernelCase(
      kernel: "attention_tile_f32",
      shape: "\(tokens) x \(Self.groupHeads) heads of \(Self.headSize), \(visible) keys", place: place,
      bytes: splits * 2 * 4 * visible * Self.headSize,
      operations: splits * 4 * rows * visible * Self.headSize
    ) { [table] in
      for split in 0..<splits {
        var tile = ck_attention_tile(
          q: query, kv: cache, pages: pages + split * pagesPerSplit, kv_head: 0, num_tokens: Int32(tokens),
          num_heads: Int32(Self.groupHeads), first_position: Int32(visible - tokens), window: 0, begin: 0,
          end: Int32(visible), mask: nil, mask_stride: 0, scores: scores, partials: partials,
          partial_stride: Self.record)
        table.attention_tile_f32(&tile)
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
