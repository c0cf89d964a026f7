import CKernels
import Foundation
import TestSupport
import Testing

@Suite struct RopeTests {
  /// A step's joint product, tables and cache, and what `ck_rope_append_f32` makes of them.
  private struct Step {
    var heads = 3
    var kvHeads = 2
    var size: Int
    var pairing = CK_ROPE_HALVES
    var norm = false
    var type = CK_KV_F32
    var slots = [2, 0, 1]
    var rows = [1, 5, 34]
    var kvLengths = [64, 33, 70]
    /// Columns between the end of the heads and the keys, and after the values: padding of panels.
    var padding = 3

    var keyOffset: Int { heads * size + padding }
    var valueOffset: Int { keyOffset + kvHeads * size + padding }
    var stride: Int { valueOffset + kvHeads * size + padding }
    var rowCount: Int { rows.reduce(0, +) }

    /// (sequence, position) of every row.
    var places: [(sequence: Int, position: Int)] {
      rows.indices.flatMap { sequence in
        (kvLengths[sequence] - rows[sequence]..<kvLengths[sequence]).map { (sequence, $0) }
      }
    }

    func run(_ product: [Float], context: Context?, seed: UInt64 = 3) -> (rows: [Float], cache: PagedCache) {
      var random = SplitMix64(seed: 5)
      let positions = 70
      let pairs = size / 2
      let angles = random.nextFloats(positions * pairs, magnitude: 3).map { Double($0) }
      let cosines = GuardedBuffer(angles.map { Float(cos($0)) })
      let sines = GuardedBuffer(angles.map { Float(sin($0)) })
      let queryNorm = GuardedBuffer(random.nextFloats(size))
      let keyNorm = GuardedBuffer(random.nextFloats(size))
      var layout = SplitMix64(seed: seed)
      let cache = PagedCache(
        type: type, kvHeads: kvHeads, size: size, slots: 3, positions: positions, random: &layout)
      let batch = Ragged(slots: slots, rows: rows, kvLengths: kvLengths)
      let qkv = GuardedBuffer(product)
      var args = ck_rope_append_args(
        qkv: qkv.base, qkv_stride: stride, k_offset: keyOffset, v_offset: valueOffset,
        num_heads: Int32(heads),
        q_norm: norm ? UnsafePointer(queryNorm.base) : nil, k_norm: norm ? UnsafePointer(keyNorm.base) : nil,
        norm_eps: 1e-6, cosines: cosines.base, sines: sines.base, pairing: pairing, batch: batch.cValue,
        kv: cache.cValue)
      if let context {
        ck_rope_append_f32(context.pointer, &args)
      } else {
        ck_reference_rope_append_f32(&args)
      }
      #expect(qkv.isIntact && cache.isIntact && batch.isIntact && cosines.isIntact && sines.isIntact)
      #expect(queryNorm.isIntact && keyNorm.isIntact)
      return (qkv.elements, cache)
    }
  }

  private static let variants = [
    (CK_ROPE_HALVES, false), (CK_ROPE_INTERLEAVED, true), (CK_ROPE_HALVES, true),
  ]

  @Test(arguments: ISA.runnable, [2, 6, 10, 16, 18, 32, 64, 80, 128])
  func matchesReference(isa: ISA, size: Int) {
    var random = SplitMix64(seed: UInt64(size))
    for (pairing, norm) in Self.variants {
      let step = Step(size: size, pairing: pairing, norm: norm)
      let product = random.nextFloats(step.rowCount * step.stride, magnitude: 4)
      let expected = step.run(product, context: nil)
      let actual = step.run(product, context: Context(isa))
      // A pair keeps its length, so the reference's own elements give the unit.
      let unit = (norm ? 6 : 2) * floatEpsilon
      let wrong = mismatch(actual.rows, expected.rows) { index in
        let column = index % step.stride
        let inHeads = column < step.heads * size
        let inKeys = column >= step.keyOffset && column < step.keyOffset + step.kvHeads * size
        guard inHeads || inKeys else { return 0 }
        let within = (inHeads ? column : column - step.keyOffset) % size
        let partner =
          pairing == CK_ROPE_HALVES ? (within + size / 2) % size : within ^ 1
        let other = index - within + partner
        let a = Double(expected.rows[index])
        let b = Double(expected.rows[other])
        return unit * (a * a + b * b).squareRoot() + 1e-38
      }
      #expect(wrong == nil, "norm \(norm), pairing \(pairing.rawValue)")
    }
  }

  /// Keys turned in place, values as they were, each at its position and rounded to the cache's type; poison everywhere
  /// else.
  @Test(arguments: CacheVariant.runnable, [2, 10, 64])
  func appendsKeysAndValuesAndNothingElse(variant: CacheVariant, size: Int) {
    var random = SplitMix64(seed: 31)
    let step = Step(size: size, type: variant.type)
    let product = random.nextFloats(step.rowCount * step.stride)
    let (rows, cache) = step.run(product, context: Context(variant.isa))
    var layout = SplitMix64(seed: 3)
    let expected = PagedCache(
      type: variant.type, kvHeads: step.kvHeads, size: size, slots: 3, positions: 70, random: &layout)
    for (row, place) in step.places.enumerated() {
      for head in 0..<step.kvHeads {
        let key = row * step.stride + step.keyOffset + head * size
        let value = row * step.stride + step.valueOffset + head * size
        expected.put(
          key: Array(rows[key..<key + size]), value: Array(product[value..<value + size]),
          slot: step.slots[place.sequence], position: place.position, head: head)
      }
    }
    #expect(cache.keys.elements == expected.keys.elements)
    #expect(cache.values.elements == expected.values.elements)
  }

  @Test(arguments: ISA.runnable)
  func rowIsIndependentOfTheOthers(isa: ISA) {
    var random = SplitMix64(seed: 32)
    for (pairing, norm) in Self.variants {
      // Large enough that the threads share it.
      let step = Step(size: 64, pairing: pairing, norm: norm)
      let product = random.nextFloats(step.rowCount * step.stride)
      let together = step.run(product, context: Context(isa)).rows
      for (row, place) in step.places.enumerated() {
        var one = step
        one.slots = [row % 3]
        one.rows = [1]
        one.kvLengths = [place.position + 1]
        let range = row * step.stride..<(row + 1) * step.stride
        let alone = one.run(Array(product[range]), context: Context(isa, threads: 1), seed: 9).rows
        #expect(bitMismatch(Array(together[range]), alone) == nil, "position \(place.position)")
      }
    }
  }

  private func frequencies(
    size: Int32, theta: Double, scaling: ck_rope_scaling = CK_ROPE_SCALING_NONE, factor: Double = 1
  ) -> [Float] {
    var args = ck_rope_frequency_args(
      head_size: size, theta: theta, scaling: scaling, factor: factor, low_freq_factor: 1,
      high_freq_factor: 4, original_max_position_embeddings: 8192)
    let out = GuardedBuffer<Float>(count: Int(size) / 2)
    ck_rope_frequencies(&args, out.base)
    return out.elements
  }

  /// `inv_freq` of Hugging Face transformers 5.23 (LlamaRotaryEmbedding, float32), bit for bit.
  @Test func frequenciesAreThoseOfTransformers() {
    #expect(
      frequencies(size: 64, theta: 1e6).map(\.bitPattern) == [
        0x3f80_0000, 0x3f26_3de0, 0x3ed7_e89b, 0x3e8c_3504, 0x3e36_1887, 0x3dec_7fd6, 0x3d99_940d,
        0x3d47_763f,
        0x3d01_86e3, 0x3ca8_398b, 0x3c5a_7bf2, 0x3c0d_e12d, 0x3bb8_449c, 0x3b6f_520e, 0x3b1b_690d,
        0x3ac9_d75c,
        0x3a83_126f, 0x3a2a_3b44, 0x39dd_1725, 0x398f_9272, 0x393a_7753, 0x38f2_2ce2, 0x389d_43a4,
        0x384c_3fbe,
        0x3804_a2b2, 0x37ac_431d, 0x375f_ba4f, 0x3711_48e3, 0x36bc_b0c1, 0x3675_1070, 0x361f_23e4,
        0x35ce_af79,
      ])
    #expect(
      frequencies(size: 80, theta: 1e4, scaling: CK_ROPE_SCALING_LINEAR, factor: 4).map(\.bitPattern) == [
        0x3e80_0000, 0x3e4b_5918, 0x3e21_866b, 0x3e00_4dce, 0x3dcb_d4b4, 0x3da1_e89b, 0x3d80_9bcc,
        0x3d4c_509b,
        0x3d22_4b06, 0x3d00_e9fa, 0x3ccc_cccd, 0x3ca2_adad, 0x3c81_3855, 0x3c4d_494b, 0x3c23_1091,
        0x3c01_86e3,
        0x3bcd_c613, 0x3ba3_73ae, 0x3b81_d5a0, 0x3b4e_432a, 0x3b23_d70a, 0x3b02_248c, 0x3ace_c089,
        0x3aa4_3aa3,
        0x3a82_73a4, 0x3a4f_3e38, 0x3a24_9e78, 0x3a02_c2f1, 0x39cf_bc32, 0x39a5_0284, 0x3983_126f,
        0x3950_3a7a,
        0x3925_66d4, 0x3903_621c, 0x38d0_b907, 0x38a5_cb60, 0x3883_b1fa, 0x3851_37e8, 0x3826_3028,
        0x3804_0204,
      ])
    #expect(
      frequencies(size: 64, theta: 5e5, scaling: CK_ROPE_SCALING_LLAMA3, factor: 32).map(\.bitPattern) == [
        0x3f80_0000, 0x3f29_e1c6, 0x3ee1_77bc, 0x3e95_9ee3, 0x3e46_93b0, 0x3e03_c6a0, 0x3dae_e4ad,
        0x3d68_1e67,
        0x3d1a_08c8, 0x3ccc_6f49, 0x3c87_a9c3, 0x3c34_0d6d, 0x3bee_f74f, 0x3b9e_9402, 0x3b52_7720,
        0x3aa9_279b,
        0x39e1_3620, 0x38cb_98f7, 0x37a3_418d, 0x3758_ac81, 0x370f_c8f8, 0x36be_d4f4, 0x367d_45c3,
        0x3628_126b,
        0x35df_10c4, 0x3594_06cb, 0x3544_7610, 0x3502_5f34, 0x34ad_07a7, 0x3465_a54d, 0x3418_64a7,
        0x33ca_41b0,
      ])
  }

  @Test(arguments: [0, 511, 32_767, 131_071])
  func tableHoldsCosinesAndSinesOfFloatAngles(position: Int) {
    let frequencies = GuardedBuffer(frequencies(size: 10, theta: 1e4))
    let cosines = GuardedBuffer<Float>(count: 2 * 5)
    let sines = GuardedBuffer<Float>(count: 2 * 5)
    ck_rope_table_fill(frequencies.base, 5, Int32(position), 2, cosines.base, sines.base)
    for row in 0..<2 {
      for pair in 0..<5 {
        let angle = Double(Float(position + row) * frequencies[pair])
        #expect(cosines[row * 5 + pair] == Float(cos(angle)))
        #expect(sines[row * 5 + pair] == Float(sin(angle)))
      }
    }
    #expect(cosines.isIntact && sines.isIntact)
  }
}
