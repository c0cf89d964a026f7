import CKernels
import TestSupport
import Testing

/// Blocks and affine groups held as they are: each weight is what the format says, to the bit.
@Suite struct PackBlocksTests {
  static let formats = CK_BLOCK_Q8_0.rawValue..<CK_BLOCK_FORMAT_COUNT.rawValue

  /// Where a block's binary16 numbers are.
  private static func halves(of format: ck_block_format) -> [Int] {
    switch format {
    case CK_BLOCK_Q8_0, CK_BLOCK_Q4_0, CK_BLOCK_Q5_0: [0]
    case CK_BLOCK_Q6_K: [208]
    default: [0, 2]
    }
  }

  /// Blocks of random bytes whose scales are finite, of either sign, some zero and some subnormal.
  private static func blocks(_ format: ck_block_format, count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    let size = ck_block_bytes(format)
    var bytes = (0..<count * size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    for block in 0..<count {
      for at in halves(of: format) {
        let high = block * size + at + 1
        bytes[high] = block % 7 == 3 ? 0 : bytes[high] & 0xBF
      }
    }
    return bytes
  }

  /// The rows of a packed matrix, as floats' bits.
  private static func rows(
    _ panels: GuardedBuffer<UInt8>, _ type: ck_weight_type, _ indexes: [Int32], inputs: Int
  ) -> [UInt32] {
    let index = GuardedBuffer(indexes)
    let out = GuardedBuffer<Float>(count: indexes.count * inputs)
    var args = ck_unpack_args(
      panels: panels.base, type: type, num_inputs: Int32(inputs), num_rows: Int32(indexes.count),
      index: index.base, out: out.base, out_stride: inputs)
    ck_embedding_gather(Context(ISA.runnable[0]).pointer, &args)
    #expect(out.isIntact && panels.isIntact)
    return out.elements.map(\.bitPattern)
  }

  @Test(arguments: formats, [1, 2])
  func everyWeightOfABlockIsTheFloatThatWideningMakes(format: UInt32, threads: Int) {
    let format = ck_block_format(rawValue: format)
    let type = ck_block_weight_type(format)
    // Two and a half runs of the small blocks; rows beside a panel's end.
    let elements = ck_block_elements(format)
    let inputs = elements == 32 ? 640 : 768
    let outputs = 37
    let blocks = Self.blocks(format, count: outputs * inputs / elements, seed: UInt64(format.rawValue))
    let source = GuardedBuffer([0] + blocks)
    let panels = GuardedBuffer<UInt8>(count: 3 * ck_panel_bytes(type, Int32(inputs)), alignment: 64)
    var args = ck_pack_blocks_args(
      blocks: source.base + 1, format: format,
      place: ck_pack_place(
        panels: panels.base, num_inputs: Int32(inputs), num_outputs: Int32(outputs), first_panel: 0,
        panel_step: 1))
    #expect(ck_pack_blocks(Context(ISA.runnable[0], threads: threads).pointer, &args) == -1)
    #expect(source.isIntact && panels.isIntact)
    let held = Self.rows(panels, type, (0..<Int32(outputs)).map { $0 }, inputs: inputs)
    let widened = DequantizeTests.dequantized(format, blocks)
    // Zeros may differ in their sign.
    let differing = held.indices.filter { held[$0] != widened[$0] && (held[$0] | widened[$0]) << 1 != 0 }
    #expect(held.count == widened.count && differing.isEmpty)
  }

  @Test(arguments: formats)
  func secondPanelsOnlyAreWrittenWhereGateAndUpAlternate(format: UInt32) {
    let format = ck_block_format(rawValue: format)
    let type = ck_block_weight_type(format)
    let inputs = 256
    let panelBytes = ck_panel_bytes(type, Int32(inputs))
    let blocks = Self.blocks(format, count: 32 * inputs / ck_block_elements(format), seed: 9)
    let source = GuardedBuffer(blocks)
    let panels = GuardedBuffer([UInt8](repeating: 0xAB, count: 4 * panelBytes), alignment: 64)
    var args = ck_pack_blocks_args(
      blocks: source.base, format: format,
      place: ck_pack_place(
        panels: panels.base, num_inputs: Int32(inputs), num_outputs: 32, first_panel: 1, panel_step: 2))
    #expect(ck_pack_blocks(Context(ISA.runnable[0]).pointer, &args) == -1)
    for panel in [0, 2] {
      #expect(panels.elements[panel * panelBytes..<(panel + 1) * panelBytes].allSatisfy { $0 == 0xAB })
    }
    let held = Self.rows(panels, type, (16..<32).map { $0 } + (48..<64).map { $0 }, inputs: inputs)
    let widened = DequantizeTests.dequantized(format, blocks)
    #expect(held.map { Float(bitPattern: $0) } == widened.map { Float(bitPattern: $0) })
  }

  @Test(arguments: formats)
  func namesTheFirstGroupWhoseScaleIsNotFinite(format: UInt32) {
    let format = ck_block_format(rawValue: format)
    let (elements, size) = (ck_block_elements(format), ck_block_bytes(format))
    let inputs = 512
    for at in Self.halves(of: format) {
      var blocks = Self.blocks(format, count: 20 * inputs / elements, seed: 4)
      let bad = 18 * inputs / elements + 1
      (blocks[bad * size + at], blocks[bad * size + at + 1]) = (0, 0x7C)
      let source = GuardedBuffer(blocks)
      let panels = GuardedBuffer<UInt8>(
        count: 2 * ck_panel_bytes(ck_block_weight_type(format), Int32(inputs)), alignment: 64)
      var args = ck_pack_blocks_args(
        blocks: source.base, format: format,
        place: ck_pack_place(
          panels: panels.base, num_inputs: Int32(inputs), num_outputs: 20, first_panel: 0, panel_step: 1))
      #expect(ck_pack_blocks(Context(ISA.runnable[0]).pointer, &args) == Int64(18 * inputs + elements))
    }
  }

  /// A matrix of affine groups whose numbers are binary16 or bf16.
  private struct Affine {
    let bits: Int, groupSize: Int, scaleType: ck_weight_type
    let inputs = 768, outputs = 19
    var scales: [UInt16], minima: [UInt16]
    let integers: [UInt8]

    init(bits: Int, groupSize: Int, scaleType: ck_weight_type) {
      (self.bits, self.groupSize, self.scaleType) = (bits, groupSize, scaleType)
      var random = SplitMix64(seed: UInt64(bits * groupSize))
      // Binades 2^-7...2^0, either sign; zero here and there.
      func number() -> UInt16 {
        let half = UInt16(truncatingIfNeeded: random.next())
        if half & 0xF000 == 0 { return 0 }
        return scaleType == CK_WEIGHT_F16 ? half & 0x9FFF | 0x2000 : half & 0x83FF | 0x3C00
      }
      scales = (0..<outputs * inputs / groupSize).map { _ in number() }
      minima = (0..<outputs * inputs / groupSize).map { _ in number() }
      integers = (0..<outputs * inputs * bits / 8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    private func float(_ number: UInt16) -> Float {
      scaleType == CK_WEIGHT_F16
        ? float16(number) : Float(bitPattern: UInt32(number) << 16)
    }

    private func float16(_ half: UInt16) -> Float {
      var bytes = half
      var out: Float = 0
      ck_dequantize(CK_BLOCK_F16, &bytes, 1, &out)
      return out
    }

    var expected: [Float] {
      (0..<outputs * inputs).map { index in
        let byte = integers[index * bits / 8]
        let q = bits == 8 ? byte : index % 2 == 0 ? byte & 15 : byte >> 4
        return (float(scales[index / groupSize]) * Float(q)).addingProduct(
          1, float(minima[index / groupSize]))
      }
    }

    func pack() -> (bad: Int64, panels: GuardedBuffer<UInt8>, type: ck_weight_type) {
      let type = ck_affine_weight_type(Int32(bits))
      let panels = GuardedBuffer<UInt8>(count: 2 * ck_panel_bytes(type, Int32(inputs)), alignment: 64)
      let (q, s, m) = (GuardedBuffer(integers), GuardedBuffer(scales), GuardedBuffer(minima))
      var args = ck_pack_affine_args(
        source: ck_affine(
          integers: q.base, scales: s.base, minima: m.base, scale_type: scaleType, bits: Int32(bits),
          group_size: Int32(groupSize)),
        place: ck_pack_place(
          panels: panels.base, num_inputs: Int32(inputs), num_outputs: Int32(outputs), first_panel: 0,
          panel_step: 1))
      let bad = ck_pack_affine(Context(ISA.runnable[0]).pointer, &args)
      let widened = GuardedBuffer<Float>(count: outputs * inputs)
      ck_dequantize_affine(&args.source, Int32(inputs), Int32(outputs), widened.base)
      #expect(widened.isIntact && (bad >= 0 || widened.elements == expected))
      #expect(panels.isIntact && q.isIntact && s.isIntact && m.isIntact)
      return (bad, panels, type)
    }
  }

  @Test(arguments: [4, 8], [32, 64, 128, 256])
  func everyWeightOfAnAffineGroupIsScaleTimesIntegerPlusMinimum(bits: Int, groupSize: Int) {
    for scaleType in [CK_WEIGHT_F16, CK_WEIGHT_BF16] {
      let matrix = Affine(bits: bits, groupSize: groupSize, scaleType: scaleType)
      let (bad, panels, type) = matrix.pack()
      let held = Self.rows(panels, type, (0..<19).map { $0 }, inputs: matrix.inputs)
      // Products of at most 19 bits are exact, so that fusing changes nothing.
      #expect(bad == -1 && held.map { Float(bitPattern: $0) } == matrix.expected)
    }
  }

  @Test func refusesAffineGroupsThatBinary16CannotHold() {
    var matrix = Affine(bits: 4, groupSize: 64, scaleType: CK_WEIGHT_BF16)
    matrix.scales[12 * 5 + 7] = 0x7F80
    #expect(matrix.pack().bad == Int64(5 * 768 + 7 * 64))
    // 2^-126 beside 2^-2, in the run of groups 8...15 of 32.
    matrix.scales[12 * 5 + 7] = 0x0080
    matrix.scales[12 * 5 + 6] = 0x3E80
    #expect(matrix.pack().bad == Int64(5 * 768 + 7 * 64))
    matrix.scales[12 * 5 + 7] = 0
    #expect(matrix.pack().bad == -1)
  }
}
