import CKernels
import TestSupport
import Testing

/// One kind of linear layer.
struct LinearKind: Sendable, CustomTestStringConvertible {
  var type: UInt32
  var activation: UInt32
  var epilogue: UInt32

  private static let formats: [(ck_weight_type, ck_activation)] = [
    (CK_WEIGHT_F32, CK_ACTIVATION_F32), (CK_WEIGHT_F16, CK_ACTIVATION_F32),
    (CK_WEIGHT_BF16, CK_ACTIVATION_F32), (CK_WEIGHT_BF16, CK_ACTIVATION_BF16),
    (CK_WEIGHT_I8, CK_ACTIVATION_F32), (CK_WEIGHT_I8, CK_ACTIVATION_I8),
    (CK_WEIGHT_I8, CK_ACTIVATION_I8_PAIRS),
    (CK_WEIGHT_I4, CK_ACTIVATION_F32), (CK_WEIGHT_I4, CK_ACTIVATION_I8),
    (CK_WEIGHT_I8A, CK_ACTIVATION_F32), (CK_WEIGHT_I8A, CK_ACTIVATION_I8),
    (CK_WEIGHT_I4A, CK_ACTIVATION_F32), (CK_WEIGHT_I4A, CK_ACTIVATION_I8),
    (CK_WEIGHT_I8H, CK_ACTIVATION_F32), (CK_WEIGHT_I8H, CK_ACTIVATION_I8),
  ]

  static let all: [LinearKind] = formats.flatMap { type, activation in
    [CK_EPILOGUE_STORE, CK_EPILOGUE_ADD, CK_EPILOGUE_SWIGLU].map {
      LinearKind(type: type.rawValue, activation: activation.rawValue, epilogue: $0.rawValue)
    }
  }

  var testDescription: String {
    let activations = ["", " with bf16 activations", " with int8 activations", " with bounded pairs"]
    return ["f32", "f16", "bf16", "i8", "i4", "i8a", "i4a", "i8h"][Int(type)] + activations[Int(activation)]
      + ", " + ["store", "add", "swiglu"][Int(epilogue)]
  }

  func layer(inputs: Int, columns: Int, biased: Bool, random: inout SplitMix64) -> LinearLayer {
    let layer = LinearLayer(
      inputs: inputs, columns: columns, type: ck_weight_type(rawValue: type),
      epilogue: ck_epilogue(rawValue: epilogue), biased: biased, random: &random)
    layer.activation = ck_activation(rawValue: activation)
    return layer
  }
}

@Suite struct LinearTests {
  private func expectReference(
    _ kind: LinearKind, _ isa: ISA, inputs: Int, columns: Int, rows: Int, biased: Bool,
    random: inout SplitMix64
  ) {
    let layer = kind.layer(inputs: inputs, columns: columns, biased: biased, random: &random)
    layer.activation = isa.activation(layer.activation, for: layer.type)
    let x = random.nextFloats(rows * inputs, magnitude: 2)
    let before =
      layer.epilogue == CK_EPILOGUE_ADD ? random.nextFloats(rows * layer.columns) : nil
    let expected = layer.run(x, before: before, by: .reference)
    let actual = layer.run(x, before: before, padding: 5, by: .op(Context(isa)))
    let bounds = layer.bounds(x, expected: expected)
    let wrong = mismatch(actual, expected) { bounds[$0] }
    #expect(wrong == nil, "\(inputs) inputs, \(columns) columns, \(rows) rows")
  }

  @Test(arguments: ISA.runnable, LinearKind.all)
  func matchesReference(isa: ISA, kind: LinearKind) {
    var random = SplitMix64(seed: 51)
    // Odd depths, columns either side of a panel, and several panels a thread.
    for (index, shape) in [(1, 1), (2, 15), (3, 16), (17, 17), (64, 33), (77, 83), (130, 100)].enumerated() {
      expectReference(
        kind, isa, inputs: shape.0, columns: shape.1, rows: 1 + index, biased: index % 2 == 0, random: &random
      )
    }
  }

  @Test(arguments: ISA.runnable, LinearKind.all)
  func matchesReferenceForRows(isa: ISA, kind: LinearKind) {
    var random = SplitMix64(seed: 52)
    for rows in 1...30 {
      expectReference(
        kind, isa, inputs: 19, columns: 70, rows: rows, biased: rows % 2 == 0, random: &random)
    }
  }

  @Test(arguments: ISA.runnable, LinearKind.all)
  func matchesReferenceForModelWidths(isa: ISA, kind: LinearKind) {
    var random = SplitMix64(seed: 53)
    expectReference(kind, isa, inputs: 896, columns: 144, rows: 9, biased: true, random: &random)
  }

  @Test(arguments: ISA.runnable, LinearKind.all)
  func rowAloneEqualsRowInAnyBatch(isa: ISA, kind: LinearKind) {
    var random = SplitMix64(seed: 54)
    let (inputs, rows) = (77, 53)
    let layer = kind.layer(inputs: inputs, columns: 83, biased: true, random: &random)
    let columns = layer.columns
    let x = random.nextFloats(rows * inputs)
    let before = random.nextFloats(rows * columns)
    let adds = layer.epilogue == CK_EPILOGUE_ADD
    func run(_ range: Range<Int>, threads: Int) -> [Float] {
      layer.run(
        Array(x[range.lowerBound * inputs..<range.upperBound * inputs]),
        before: adds ? Array(before[range.lowerBound * columns..<range.upperBound * columns]) : nil,
        by: .op(Context(isa, threads: threads)))
    }
    let alone = (0..<rows).flatMap { run($0..<$0 + 1, threads: 1) }
    for size in [2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 23, 24, 25, 30, 48, 53] {
      let first = random.nextInt(0...rows - size)
      for threads in [1, 2] {
        let wrong = bitMismatch(
          run(first..<first + size, threads: threads),
          Array(alone[first * columns..<(first + size) * columns]))
        #expect(wrong == nil, "\(size) rows, \(threads) threads")
      }
    }
  }

  /// silu(g) * 1 over the floats where exp changes its branches, against Double.
  @Test(arguments: ISA.runnable)
  func siluIsAccurateEverywhere(isa: ISA) {
    var gates: [Float] = [
      0, -0.0, 1e-30, -1e-30, 87.3, -87.3, 87.4, -87.4, 88.8, -88.8, 104, -104, 1e4, -1e4,
    ]
    gates += stride(from: -90, to: 90, by: 0.037).map { Float($0) }
    while gates.count % 16 != 0 { gates.append(0) }
    var product: [Float] = []
    for first in stride(from: 0, to: gates.count, by: 16) {
      product += gates[first..<first + 16] + [Float](repeating: 1, count: 16)
    }
    let input = GuardedBuffer(product)
    let out = GuardedBuffer<Float>(count: gates.count)
    var tile = ck_epilogue_tile(
      product: input.base, product_stride: product.count, bias: nil, out: out.base, out_stride: gates.count,
      num_rows: 1, count: Int32(gates.count), epilogue: CK_EPILOGUE_SWIGLU)
    isa.table.linear_epilogue_tile(&tile)
    let expected = gates.map { Double($0) / (1 + exponential(-Double($0))) }
    let wrong = mismatch(out.elements, expected.map { Float($0) }) {
      // Below -87 the result is flushed to zero, once exp overflows.
      8 * floatEpsilon * abs(expected[$0]) + (gates[$0] < -87 ? 1e-35 : 1e-38)
    }
    #expect(wrong == nil && input.isIntact && out.isIntact)
  }

  @Test(arguments: ISA.runnable)
  func nanReachesItsRowAlone(isa: ISA) {
    var random = SplitMix64(seed: 55)
    for kind in LinearKind.all {
      let layer = kind.layer(inputs: 20, columns: 40, biased: false, random: &random)
      var x = random.nextFloats(5 * 20)
      x[2 * 20 + 3] = .nan
      let out = layer.run(x, before: [Float](repeating: 0, count: 5 * layer.columns), by: .op(Context(isa)))
      for row in 0..<5 {
        // Padding columns of the gate have weights of zero, and NaN times zero is NaN.
        let values = out[row * layer.columns..<(row + 1) * layer.columns]
        #expect(row == 2 ? values.allSatisfy { $0.isNaN } : values.allSatisfy { $0.isFinite })
      }
    }
  }
}

/// e^x by its series, at an argument small enough for it, squared back.
func exponential(_ x: Double) -> Double {
  let small = x / 4096
  var term = 1.0
  var sum = 1.0
  for n in 1...12 {
    term *= small / Double(n)
    sum += term
  }
  for _ in 0..<12 { sum *= sum }
  return sum
}
