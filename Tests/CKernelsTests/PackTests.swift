import CKernels
import TestSupport
import Testing

@Suite struct PackTests {
  private static let types = [CK_WEIGHT_F32.rawValue, CK_WEIGHT_F16.rawValue, CK_WEIGHT_BF16.rawValue]

  private func byteCount(_ type: ck_weight_type) -> Int { type == CK_WEIGHT_F32 ? 4 : 2 }

  /// Numbers that every type holds exactly, as bytes of `type`.
  private func exactSource(_ count: Int, type: ck_weight_type) -> (values: [Float], bytes: [UInt8]) {
    let values = (0..<count).map { Float($0 % 255 - 127) / 64 }
    let bytes = values.flatMap { value -> [UInt8] in
      switch type {
      case CK_WEIGHT_F32: withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
      case CK_WEIGHT_F16: withUnsafeBytes(of: Self.half(value).littleEndian) { Array($0) }
      default: withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) { Array($0) }
      }
    }
    return (values, bytes)
  }

  /// A normal half of a float that has one.
  private static func half(_ value: Float) -> UInt16 {
    guard value != 0 else { return 0 }
    let bits = value.bitPattern
    let sign = UInt16(bits >> 31) << 15
    let exponent = UInt16((bits >> 23) & 0xFF) - 112
    return sign | (exponent << 10) | UInt16((bits >> 13) & 0x3FF)
  }

  private func gather(
    _ indexes: [Int32], panels: GuardedBuffer<UInt8>, type: ck_weight_type, inputs: Int, isa: ISA
  ) -> [Float] {
    let index = GuardedBuffer(indexes)
    let out = GuardedBuffer<Float>(count: indexes.count * inputs)
    var args = ck_unpack_args(
      panels: panels.base, type: type, num_inputs: Int32(inputs), num_rows: Int32(indexes.count),
      index: index.base, out: out.base, out_stride: inputs)
    ck_embedding_gather(Context(isa).pointer, &args)
    #expect(out.isIntact && index.isIntact)
    return out.elements
  }

  @Test(arguments: types, types)
  func gathersWhatWasPacked(source: UInt32, target: UInt32) {
    let (from, to) = (ck_weight_type(rawValue: source), ck_weight_type(rawValue: target))
    for (inputs, outputs) in [(1, 1), (5, 16), (6, 17), (33, 40)] {
      let (values, bytes) = exactSource(inputs * outputs, type: from)
      // One byte in: sources may lie at any alignment.
      let data = GuardedBuffer([0xEE] + bytes)
      let panels = GuardedBuffer<UInt8>(
        count: (outputs + 15) / 16 * ck_panel_bytes(to, Int32(inputs)), alignment: 64)
      var args = ck_pack_args(
        source: data.base + 1, source_type: from, num_inputs: Int32(inputs), num_outputs: Int32(outputs),
        panels: panels.base, type: to, first_panel: 0, panel_step: 1)
      #expect(ck_pack_linear(Context(ISA.runnable[0]).pointer, &args) == -1)
      #expect(panels.isIntact && data.isIntact)
      let order = (0..<Int32(outputs)).reversed() + [0, 0]
      for isa in ISA.runnable {
        let rows = gather(Array(order), panels: panels, type: to, inputs: inputs, isa: isa)
        let expected = order.flatMap { values[Int($0) * inputs..<(Int($0) + 1) * inputs] }
        #expect(bitMismatch(rows, expected) == nil)
      }
      // Outputs that are not there are zeros.
      if outputs % 16 != 0 {
        let missing = (Int32(outputs)..<Int32((outputs + 15) / 16 * 16)).map { $0 }
        let rows = gather(missing, panels: panels, type: to, inputs: inputs, isa: ISA.runnable[0])
        #expect(rows.allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func interleavesGateAndUp() {
    let (inputs, outputs) = (7, 20)
    let gate = GuardedBuffer((0..<inputs * outputs).map { Float($0) })
    let up = GuardedBuffer((0..<inputs * outputs).map { Float(-$0) })
    let panels = GuardedBuffer<Float>(count: 4 * 16 * inputs, alignment: 64)
    for (part, source) in [gate, up].enumerated() {
      var args = ck_pack_args(
        source: source.base, source_type: CK_WEIGHT_F32, num_inputs: Int32(inputs),
        num_outputs: Int32(outputs), panels: panels.base, type: CK_WEIGHT_F32, first_panel: Int32(part),
        panel_step: 2)
      #expect(ck_pack_linear(Context(ISA.runnable[0]).pointer, &args) == -1)
    }
    for output in 0..<outputs {
      for k in 0..<inputs {
        let panel = output / 16 * 2
        let at = (panel * inputs + k) * 16 + output % 16
        #expect(panels[at] == gate[output * inputs + k])
        #expect(panels[at + inputs * 16] == up[output * inputs + k])
      }
    }
  }

  @Test(arguments: types)
  func reportsTheFirstElementThatIsNotFinite(type: UInt32) {
    let type = ck_weight_type(rawValue: type)
    let (inputs, outputs) = (9, 50)
    let panels = GuardedBuffer<UInt8>(count: 4 * ck_panel_bytes(type, Int32(inputs)), alignment: 64)
    for threads in [1, 2] {
      for bad in [Float.nan, .infinity, -.infinity] {
        var values = [Float](repeating: 1, count: inputs * outputs)
        for index in [17 * inputs + 4, 44 * inputs] { values[index] = bad }
        let source = GuardedBuffer(values)
        var args = ck_pack_args(
          source: source.base, source_type: CK_WEIGHT_F32, num_inputs: Int32(inputs),
          num_outputs: Int32(outputs), panels: panels.base, type: type, first_panel: 0, panel_step: 1)
        let index = ck_pack_linear(Context(ISA.runnable[0], threads: threads).pointer, &args)
        #expect(index == Int64(17 * inputs + 4) && source.isIntact && panels.isIntact)
      }
    }
  }

  /// 65,520 is the first float that rounds to infinity in half precision.
  @Test func refusesFloatsThatHalvesCannotHold() {
    for (value, expected) in [(Float(65520).nextDown, Int64(-1)), (65520, 3), (-65520, 3), (1e30, 3)] {
      let source = GuardedBuffer([0, 1, 2, value])
      let panels = GuardedBuffer<UInt8>(count: ck_panel_bytes(CK_WEIGHT_F16, 4), alignment: 64)
      var args = ck_pack_args(
        source: source.base, source_type: CK_WEIGHT_F32, num_inputs: 4, num_outputs: 1, panels: panels.base,
        type: CK_WEIGHT_F16, first_panel: 0, panel_step: 1)
      #expect(ck_pack_linear(Context(ISA.runnable[0]).pointer, &args) == expected)
      #expect(source.isIntact && panels.isIntact)
    }
  }
}
