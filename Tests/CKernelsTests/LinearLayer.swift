import CKernels
import TestSupport
import Testing

/// A linear layer with random weights, packed, and the ways the tests run it.
final class LinearLayer {
  let inputs: Int
  /// Columns of the panels: for SWIGLU gate and up, each rounded up to a panel.
  let outputs: Int
  let type: ck_weight_type
  let epilogue: ck_epilogue
  var activation = CK_ACTIVATION_F32
  let panels: GuardedBuffer<UInt8>
  let bias: GuardedBuffer<Float>?

  /// - Parameter columns: columns of the result.
  init(
    inputs: Int, columns: Int, type: ck_weight_type, epilogue: ck_epilogue, biased: Bool,
    random: inout SplitMix64
  ) {
    self.inputs = inputs
    self.type = type
    self.epilogue = epilogue
    let gated = epilogue == CK_EPILOGUE_SWIGLU
    let padded = (columns + 15) / 16 * 16
    outputs = gated ? 2 * padded : columns
    let panelBytes = ck_panel_bytes(type, Int32(inputs))
    panels = GuardedBuffer(count: (gated ? 2 * padded : padded) / 16 * panelBytes, alignment: 64)
    bias = biased ? GuardedBuffer(random.nextFloats(gated ? 2 * padded : padded)) : nil
    if type.rawValue >= CK_WEIGHT_I8A.rawValue {
      fillRuns(columns: columns, random: &random)
      return
    }
    for part in 0..<(gated ? 2 : 1) {
      let source = GuardedBuffer(random.nextFloats(columns * inputs))
      var args = ck_pack_args(
        source: source.base, source_type: CK_WEIGHT_F32, num_inputs: Int32(inputs),
        num_outputs: Int32(columns), panels: panels.base, type: type, first_panel: Int32(part),
        panel_step: gated ? 2 : 1)
      precondition(ck_pack_linear(Context(ISA.runnable[0]).pointer, &args) == -1 && source.isIntact)
    }
  }

  private init(magnitudesOf layer: LinearLayer) {
    inputs = layer.inputs
    outputs = layer.outputs
    type = layer.type
    epilogue = CK_EPILOGUE_STORE
    activation = layer.activation
    bias = nil
    panels = GuardedBuffer(layer.panels.elements, alignment: 64)
    if type.rawValue >= CK_WEIGHT_I8.rawValue {
      if type.rawValue >= CK_WEIGHT_I8A.rawValue { makeRunsMagnitudes() } else { makeIntegersMagnitudes() }
      return
    }
    // The sign is the top bit of each element's last byte.
    let size = type == CK_WEIGHT_F32 ? 4 : 2
    for index in stride(from: size - 1, to: panels.count, by: size) { panels[index] &= 0x7F }
  }

  /// Pairs of groups: 64 bytes of binary16 scales, then bytes, each an int8 or two of 0...15 that stand for -8...7.
  private func makeIntegersMagnitudes() {
    let groupBytes = type == CK_WEIGHT_I8 ? 512 : 256
    let panelBytes = ck_panel_bytes(type, Int32(inputs))
    for index in 0..<panels.count {
      let place = index % panelBytes % (64 + 2 * groupBytes)
      let byte = panels[index]
      if place < 64 {
        if place % 2 == 1 { panels[index] = byte & 0x7F }
      } else if type == CK_WEIGHT_I8 {
        panels[index] = UInt8(Int8(bitPattern: byte).magnitude)
      } else {
        let low = min(15, abs(Int(byte & 15) - 8) + 8)
        let high = min(15, abs(Int(byte >> 4) - 8) + 8)
        panels[index] = UInt8(low | high << 4)
      }
    }
  }

  /// Runs of eight groups: 128 bytes of factors, then for each group 64 bytes of binary16 scales and its bytes.
  private func eachRunByte(_ body: (_ index: Int, _ place: RunPlace) -> Void) {
    let groupBytes = 64 + (type == CK_WEIGHT_I4A ? 256 : 512)
    let panelBytes = ck_panel_bytes(type, Int32(inputs))
    for index in 0..<panels.count {
      let inRun = index % panelBytes % (128 + 8 * groupBytes)
      let inGroup = (inRun - 128) % groupBytes
      body(index, inRun < 128 ? .factors(inRun) : inGroup < 64 ? .scales(inGroup) : .integers(inGroup - 64))
    }
  }

  private enum RunPlace { case factors(Int), scales(Int), integers(Int) }

  /// Integers of all bits; weights below 2, zero in the padding of the last panel of each part.
  private func fillRuns(columns: Int, random: inout SplitMix64) {
    var source = random
    let panelBytes = ck_panel_bytes(type, Int32(inputs))
    let parts = epilogue == CK_EPILOGUE_SWIGLU ? 2 : 1
    eachRunByte { index, place in
      let random = UInt8(truncatingIfNeeded: source.next())
      let firstColumn = index / panelBytes / parts * 16
      switch place {
      case .factors(let at):
        let exponent = type == CK_WEIGHT_I4A ? -4 : -8
        let factor = Float(sign: .plus, exponent: exponent, significand: 1 + Float(at / 4) / 32)
        panels[index] = withUnsafeBytes(of: factor) { $0[at % 4] }
      case .scales(let at):
        let isPadding = firstColumn + at / 2 % 16 >= columns
        panels[index] = isPadding ? 0 : at % 2 == 0 ? random : (random & 0x80) | 0x38 | (random & 7)
      case .integers: panels[index] = random
      }
    }
    random = source
  }

  private func makeRunsMagnitudes() {
    eachRunByte { index, place in
      let byte = panels[index]
      switch place {
      case .factors: break
      case .scales(let at): if at % 2 == 1 { panels[index] = byte & 0x7F }
      case .integers:
        // What I8A holds stands for 128 more, never less than zero.
        if type == CK_WEIGHT_I8H { panels[index] = UInt8(min(127, Int8(bitPattern: byte).magnitude)) }
      }
    }
  }

  var columns: Int { epilogue == CK_EPILOGUE_SWIGLU ? outputs / 2 : outputs }

  enum Implementation {
    case op(Context)
    case reference
  }

  /// Rows of the result, packed. `x` is [rows, inputs]; `before` what out held, for ADD.
  func run(
    _ x: [Float], before: [Float]? = nil, epilogue: ck_epilogue? = nil, padding: Int = 0,
    by implementation: Implementation
  ) -> [Float] {
    let epilogue = epilogue ?? self.epilogue
    let columns = epilogue == CK_EPILOGUE_SWIGLU ? outputs / 2 : outputs
    let rows = x.count / inputs
    let (inStride, outStride) = (inputs + padding, columns + padding)
    let input = GuardedBuffer<Float>(count: (rows - 1) * inStride + inputs)
    let out = GuardedBuffer<Float>(count: (rows - 1) * outStride + columns)
    for row in 0..<rows {
      for k in 0..<inputs { input.base[row * inStride + k] = x[row * inputs + k] }
      guard let before else { continue }
      for column in 0..<columns { out.base[row * outStride + column] = before[row * columns + column] }
    }
    var args = ck_linear_args(
      x: input.base, x_stride: inStride, num_rows: Int32(rows), num_inputs: Int32(inputs),
      num_outputs: Int32(outputs), panels: panels.base, type: type,
      bias: bias.map { UnsafePointer($0.base) }, epilogue: epilogue, activation: activation, out: out.base,
      out_stride: outStride, scratch: nil)
    switch implementation {
    case .reference: ck_reference_linear(&args)
    case .op(let context):
      let bytes = ck_linear_scratch_bytes(context.pointer, &args)
      let scratch = GuardedBuffer<UInt8>(count: bytes, alignment: 64)
      args.scratch = bytes == 0 ? nil : UnsafeMutableRawPointer(scratch.base)
      ck_linear(context.pointer, &args)
      #expect(scratch.isIntact)
    }
    #expect(input.isIntact && out.isIntact && panels.isIntact)
    for row in 0..<rows - 1 {
      for column in columns..<outStride { #expect(out[row * outStride + column].bitPattern == .max) }
    }
    return (0..<rows).flatMap { row in (0..<columns).map { out[row * outStride + $0] } }
  }

  /// The contract's bound on each product: (K + 2) eps * sum of |x w|, one more eps for the bias.
  private func productBounds(_ x: [Float]) -> [Double] {
    let magnitudes = LinearLayer(magnitudesOf: self).run(x.map(\.magnitude), by: .reference)
    let products = run(x, epilogue: CK_EPILOGUE_STORE, by: .reference)
    // Of I4's -8 the magnitude is held as 7, of I8H's -128 as 127.
    let missing = type == CK_WEIGHT_I4 || type == CK_WEIGHT_I8H ? 8.0 / 7 : 1
    return zip(magnitudes, products).map {
      missing * Double(inputs + 2) * floatEpsilon * Double($0) + 2 * floatEpsilon * abs(Double($1)) + 1e-37
    }
  }

  /// What the contract's bound comes to after the epilogue.
  func bounds(_ x: [Float], expected: [Float]) -> [Double] {
    let bounds = productBounds(x)
    let rounding = { (index: Int) in 8 * floatEpsilon * abs(Double(expected[index])) }
    guard epilogue == CK_EPILOGUE_SWIGLU else { return bounds.indices.map { bounds[$0] + rounding($0) } }
    let products = run(x, epilogue: CK_EPILOGUE_STORE, by: .reference)
    return expected.indices.map { index in
      let (row, column) = (index / columns, index % columns)
      let gate = row * outputs + column / 16 * 32 + column % 16
      let up = gate + 16
      // |silu'| < 1.1 and |silu(g)| <= |g|.
      return 1.1 * bounds[gate] * (abs(Double(products[up])) + bounds[up])
        + (abs(Double(products[gate])) + bounds[gate]) * bounds[up] + rounding(index) + 1e-30
    }
  }
}
