import CKernels

extension KernelWorkbench {
  func rowCases() throws -> [KernelCase] {
    try [normCase(), ropeCase()] + appendCases() + [memoryCase()] + chainCases()
  }

  private func normCase() throws -> KernelCase {
    let x = try floats(Self.width), delta = try floats(Self.width), weight = try floats(Self.width)
    let sum = try floats(Self.width), out = try floats(Self.width)
    return KernelCase(
      kernel: "rms_norm_row_f32", shape: "\(Self.width), with residual", place: .cache,
      bytes: 4 * 5 * Self.width
    ) { [table] in
      var row = ck_rms_norm_row(
        x: x, delta: delta, sum: sum, weight: weight, out: out, eps: 1e-6, count: Int32(Self.width))
      table.rms_norm_row_f32(&row)
    }
  }

  private func ropeCase() throws -> KernelCase {
    let pairs = 32
    let x = try floats(2 * pairs)
    // A rotation by nothing, so that values stay what they are.
    let cosines = try floats(pairs), sines: UnsafeMutablePointer<Float> = try allocate(pairs)
    for pair in 0..<pairs { cosines[pair] = 1 }
    return KernelCase(
      kernel: "rope_head_f32", shape: "\(2 * pairs), halves", place: .cache, bytes: 4 * 6 * pairs
    ) { [table] in
      var head = ck_rope_head(
        x: x, cosines: cosines, sines: sines, num_pairs: Int32(pairs), pairing: CK_ROPE_HALVES)
      table.rope_head_f32(&head)
    }
  }

  /// A key, which lies across its page.
  private func appendCases() throws -> [KernelCase] {
    let count = 64,
      types = [("f32", CK_KV_F32), ("f16", CK_KV_F16), ("bf16", CK_KV_BF16), ("int8", CK_KV_I8)]
    let x = try floats(count), out = try floats(count * Int(CK_KV_PAGE)), scale = try floats(1)
    return types.map { name, type in
      KernelCase(
        kernel: "kv_append_head", shape: "key of \(count), \(name)", place: .cache, bytes: 4 * count
      ) { [table] in
        var head = ck_kv_head(
          x: x, count: Int32(count), type: type, out: out, out_stride: Int(CK_KV_PAGE), scale: scale)
        table.kv_append_head(&head)
      }
    }
  }

  private func memoryCase() throws -> KernelCase {
    let words: UnsafeMutablePointer<UInt32> = try allocate(Self.streamBytes / 4)
    words.initialize(repeating: 1, count: Self.streamBytes / 4)
    let block = 28 << 10
    return KernelCase(
      kernel: "memory_sum_u32", shape: "streamed", place: .memory, bytes: Self.streamBytes
    ) { [table] in
      var sum: UInt32 = 0
      for first in stride(from: 0, to: Self.streamBytes / 4, by: block) {
        table.memory_sum_u32(&sum, words + first, min(block, Self.streamBytes / 4 - first))
      }
    }
  }

  private func chainCases() throws -> [KernelCase] {
    let values: UnsafeMutablePointer<Float> = try allocate(Int(CK_CHAINS_MAX))
    let turns: Int64 = 4096
    let kernels:
      [(String, @convention(c) (UnsafeMutablePointer<ck_chains>?) -> Void, KernelCase.Arithmetic)] = [
        ("multiply_add_chains_f32", table.multiply_add_chains_f32, .f32),
        ("multiply_add_chains_bf16", table.multiply_add_chains_bf16, bf16Arithmetic),
        ("multiply_add_chains_i8", table.multiply_add_chains_i8, .int8Dot),
        ("multiply_add_chains_i4", table.multiply_add_chains_i4, .int4Dot),
      ]
    return kernels.map { name, kernel, arithmetic in
      var chains = ck_chains(values: values, turns: turns, count: 0, operations: 0)
      kernel(&chains)
      return KernelCase(
        kernel: name, shape: "\(chains.count) chains", place: .cache, bytes: 0,
        operations: Int(chains.operations), arithmetic: arithmetic
      ) {
        var chains = ck_chains(values: values, turns: turns, count: 0, operations: 0)
        kernel(&chains)
      }
    }
  }
}
