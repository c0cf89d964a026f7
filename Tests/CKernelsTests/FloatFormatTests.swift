import CKernels
import TestSupport
import Testing

#if arch(x86_64) && os(macOS)
  // Swift has no Float16 there to compare with.
#else
  @Suite struct FloatFormatTests {
    /// All 65,536 patterns, NaN as NaN.
    private func expectAllPatterns(_ actual: [Float], type: ck_weight_type) {
      for bits in 0...UInt16.max {
        let expected =
          type == CK_WEIGHT_F16
          ? Float(Float16(bitPattern: bits)) : Float(bitPattern: UInt32(bits) << 16)
        let value = actual[Int(bits)]
        if expected.isNaN ? !value.isNaN : value.bitPattern != expected.bitPattern {
          Issue.record("pattern \(bits): \(value), expected \(expected)")
          return
        }
      }
    }

    @Test(arguments: [CK_WEIGHT_F16.rawValue, CK_WEIGHT_BF16.rawValue])
    func widensEveryPattern(type: UInt32) {
      let patterns = Array(0...UInt16.max)
      let type = ck_weight_type(rawValue: type)
      expectAllPatterns(patterns.indices.map { ck_reference_to_f32(patterns, type, $0) }, type: type)
    }

    /// The micro-kernels' own conversions: a product with 1 whose panel holds every pattern.
    @Test(arguments: ISA.runnable, [CK_WEIGHT_F16.rawValue, CK_WEIGHT_BF16.rawValue])
    func tilesWidenEveryPattern(isa: ISA, type: UInt32) {
      let type = ck_weight_type(rawValue: type)
      let depth: Int32 = type == CK_WEIGHT_BF16 ? 2 : 1
      var actual: [Float] = []
      for panel in stride(from: 0, to: 65536, by: 16) {
        let patterns = (0..<16).map { UInt16(panel + $0) }
        // Even and odd elements of bf16 pairs alternate, with zeros beside them.
        let odd = panel / 16 % 2 == 1
        let elements =
          type == CK_WEIGHT_F16 ? patterns : patterns.flatMap { odd ? [0, $0] : [$0, 0] }
        let weights = GuardedBuffer(elements, alignment: 64)
        let x = GuardedBuffer<Float>(depth == 1 ? [1] : odd ? [0, 1] : [1, 0])
        let out = GuardedBuffer<Float>(count: 16)
        var tile = ck_linear_tile(
          x: x.base, x_stride: Int(depth), x_scales: nil, x_sums: nil, panels: weights.base,
          panel_stride_bytes: elements.count * 2,
          out: out.base, out_stride: 16, num_rows: 1, num_panels: 1, depth: depth)
        if type == CK_WEIGHT_F16 {
          isa.table.linear_tile_f16(&tile)
        } else {
          isa.table.linear_tile_bf16(&tile)
        }
        #expect(x.isIntact && weights.isIntact && out.isIntact)
        // A sum that starts at +0 loses the sign of -0.
        actual += zip(out.elements, patterns).map { $1 == 0x8000 && $0 == 0 ? -$0.magnitude : $0 }
      }
      expectAllPatterns(actual, type: type)
    }

    /// Every half, and the floats around the points where rounding turns.
    @Test func narrowsToHalfAsTheProcessorDoes() {
      var values: [Float] = []
      for bits in 0..<UInt16(0x7BFF) {
        let low = Float(Float16(bitPattern: bits))
        let middle = (low + Float(Float16(bitPattern: bits + 1))) / 2
        values += [low, middle, middle.nextUp, middle.nextDown, -low, -middle, -middle.nextUp]
      }
      // One input, so two rows of 16 a panel: halves are padded to whole cache lines.
      let packed = GuardedBuffer<UInt16>(count: (values.count + 15) / 16 * 32, alignment: 64)
      let source = GuardedBuffer(values)
      var args = ck_pack_args(
        source: source.base, source_type: CK_WEIGHT_F32, num_inputs: 1, num_outputs: Int32(values.count),
        panels: packed.base, type: CK_WEIGHT_F16, first_panel: 0, panel_step: 1)
      #expect(ck_pack_linear(Context(ISA.runnable[0]).pointer, &args) == -1 && source.isIntact)
      let wrong = values.indices.first {
        packed[$0 / 16 * 32 + $0 % 16] != Float16(values[$0]).bitPattern
      }
      #expect(wrong == nil, "\(wrong.map { "\(values[$0])" } ?? "")")
    }

    @Test(arguments: ISA.runnable)
    func roundsToBF16TiesToEven(isa: ISA) {
      var random = SplitMix64(seed: 41)
      var values: [Float] = [
        0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
      ]
      for _ in 0..<5000 {
        let high = UInt32(truncatingIfNeeded: random.next()) & 0x7FFF_0000
        for low in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] as [UInt32] {
          let value = Float(bitPattern: high | low)
          if !value.isNaN { values += [value, -value] }
        }
      }
      let x = GuardedBuffer(values)
      let out = GuardedBuffer<UInt16>(count: values.count)
      isa.table.bf16_round_row(out.base, x.base, Int32(values.count))
      let wrong = values.indices.first { out[$0] != Self.bf16(values[$0]) }
      #expect(wrong == nil, "\(wrong.map { "\(values[$0])" } ?? "")")
      #expect(out.isIntact && x.isIntact)

      let nan = GuardedBuffer<Float>([.nan, -.nan, Float(bitPattern: 0x7F80_0001)])
      isa.table.bf16_round_row(out.base, nan.base, 3)
      for index in 0..<3 { #expect(Float(bitPattern: UInt32(out[index]) << 16).isNaN) }
    }

    /// The nearer of the two neighbours, by distance in Double; the even one at a tie.
    private static func bf16(_ value: Float) -> UInt16 {
      let low = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
      guard value.isFinite else { return low }
      // Beyond the greatest finite bf16 the next step would be 2^128.
      func exact(_ bits: UInt16) -> Double {
        let widened = Float(bitPattern: UInt32(bits) << 16)
        return widened.isInfinite ? (bits & 0x8000 == 0 ? 0x1p128 : -0x1p128) : Double(widened)
      }
      let below = abs(Double(value) - exact(low))
      let above = abs(Double(value) - exact(low + 1))
      if below == above { return low & 1 == 0 ? low : low + 1 }
      return below < above ? low : low + 1
    }
  }
#endif
