import CKernels
import TestSupport
import Testing

@Suite struct NormTests {
  /// Rows whose padding holds NaN, each ending where its last used element does.
  private static func strided(_ values: [Float], rows: Int, width: Int, stride: Int) -> GuardedBuffer<Float> {
    let buffer = GuardedBuffer<Float>(count: (rows - 1) * stride + width)
    for row in 0..<rows {
      for column in 0..<width { buffer[row * stride + column] = values[row * width + column] }
    }
    return buffer
  }

  private static func packed(_ buffer: GuardedBuffer<Float>, rows: Int, width: Int, stride: Int) -> [Float] {
    (0..<rows).flatMap { row in (0..<width).map { buffer[row * stride + $0] } }
  }

  private func norm(
    _ isa: ISA, threads: Int, x: [Float], delta: [Float]?, weight: [Float], rows: Int, padding: Int = 0,
    reference: Bool = false
  ) -> (out: [Float], residual: [Float]) {
    let width = weight.count
    let stride = width + padding
    let context = Context(isa, threads: threads)
    let input = Self.strided(x, rows: rows, width: width, stride: stride)
    let weights = GuardedBuffer(weight)
    let out = GuardedBuffer<Float>(count: (rows - 1) * stride + width)
    if let delta {
      let added = Self.strided(delta, rows: rows, width: width, stride: stride)
      var args = ck_add_rms_norm_args(
        residual: input.base, residual_stride: stride, delta: added.base, delta_stride: stride,
        weight: weights.base, eps: 1e-6, num_rows: Int32(rows), width: Int32(width), out: out.base,
        out_stride: stride)
      if reference {
        ck_reference_add_rms_norm(&args)
      } else {
        ck_add_rms_norm(context.pointer, &args)
      }
    } else {
      var args = ck_rms_norm_args(
        x: input.base, x_stride: stride, weight: weights.base, eps: 1e-6, num_rows: Int32(rows),
        width: Int32(width), out: out.base, out_stride: stride)
      if reference { ck_reference_rms_norm(&args) } else { ck_rms_norm(context.pointer, &args) }
    }
    #expect(input.isIntact && out.isIntact && weights.isIntact)
    for row in 0..<rows - 1 {
      for column in width..<stride {
        #expect(out[row * stride + column].isNaN && input[row * stride + column].isNaN)
      }
    }
    return (
      Self.packed(out, rows: rows, width: width, stride: stride),
      Self.packed(input, rows: rows, width: width, stride: stride)
    )
  }

  @Test(arguments: ISA.runnable)
  func matchesReference(isa: ISA) {
    var random = SplitMix64(seed: 1)
    for width in isa.edgeSizes + [5, 64, 127, 128, 129, 896, 2049] {
      for (rows, magnitude) in [(1, Float(1)), (3, 1000), (17, 0.001)] {
        let x = random.nextFloats(rows * width, magnitude: magnitude)
        let weight = random.nextFloats(width)
        let expected = norm(isa, threads: 1, x: x, delta: nil, weight: weight, rows: rows, reference: true)
        let actual = norm(isa, threads: 2, x: x, delta: nil, weight: weight, rows: rows, padding: 3)
        let wrong = mismatch(actual.out, expected.out) {
          6 * floatEpsilon * abs(Double(expected.out[$0])) + 1e-38
        }
        #expect(wrong == nil, "width \(width), rows \(rows)")
        #expect(actual.residual == x)
      }
    }
  }

  @Test func referenceFollowsTheFormula() {
    let portable = ISA(value: CK_ISA_PORTABLE)
    let x: [Float] = [3, -4, 0, 12]
    let weight: [Float] = [1, 2, 3, -0.5]
    let (out, _) = norm(portable, threads: 1, x: x, delta: nil, weight: weight, rows: 1, reference: true)
    let root = ((9.0 + 16 + 144) / 4 + 1e-6).squareRoot()
    let expected = zip(x, weight).map { Float(Double($0) / root * Double($1)) }
    #expect(mismatch(out, expected) { _ in 1e-6 } == nil)
  }

  @Test(arguments: ISA.runnable)
  func addsTheResidualFirst(isa: ISA) {
    var random = SplitMix64(seed: 2)
    for width in isa.edgeSizes + [130, 897] {
      let rows = 5
      let residual = random.nextFloats(rows * width)
      let delta = random.nextFloats(rows * width, magnitude: 3)
      let weight = random.nextFloats(width)
      let sum = zip(residual, delta).map { $0 + $1 }
      let added = norm(isa, threads: 2, x: residual, delta: delta, weight: weight, rows: rows, padding: 1)
      let plain = norm(isa, threads: 2, x: sum, delta: nil, weight: weight, rows: rows)
      #expect(bitMismatch(added.residual, sum) == nil)
      #expect(bitMismatch(added.out, plain.out) == nil)
    }
  }

  @Test(arguments: ISA.runnable)
  func rowIsIndependentOfTheOthers(isa: ISA) {
    var random = SplitMix64(seed: 3)
    // Large enough that the threads share it.
    let (rows, width) = (13, 901)
    let x = random.nextFloats(rows * width)
    let weight = random.nextFloats(width)
    let together = norm(isa, threads: 2, x: x, delta: nil, weight: weight, rows: rows).out
    for row in 0..<rows {
      let own = Array(x[row * width..<(row + 1) * width])
      let alone = norm(isa, threads: 1, x: own, delta: nil, weight: weight, rows: 1).out
      #expect(bitMismatch(Array(together[row * width..<(row + 1) * width]), alone) == nil)
    }
  }

  @Test(arguments: ISA.runnable)
  func worksInPlace(isa: ISA) {
    var random = SplitMix64(seed: 4)
    let (rows, width) = (3, 77)
    let context = Context(isa)
    let x = random.nextFloats(rows * width)
    let weight = GuardedBuffer(random.nextFloats(width))
    let expected = norm(isa, threads: 1, x: x, delta: nil, weight: weight.elements, rows: rows).out
    let buffer = GuardedBuffer(x)
    var args = ck_rms_norm_args(
      x: buffer.base, x_stride: width, weight: weight.base, eps: 1e-6, num_rows: Int32(rows),
      width: Int32(width), out: buffer.base, out_stride: width)
    ck_rms_norm(context.pointer, &args)
    #expect(bitMismatch(buffer.elements, expected) == nil && weight.isIntact)

    let residual = GuardedBuffer([Float](repeating: 0, count: rows * width))
    let delta = GuardedBuffer(x)
    var added = ck_add_rms_norm_args(
      residual: residual.base, residual_stride: width, delta: delta.base, delta_stride: width,
      weight: weight.base, eps: 1e-6, num_rows: Int32(rows), width: Int32(width), out: delta.base,
      out_stride: width)
    ck_add_rms_norm(context.pointer, &added)
    #expect(bitMismatch(delta.elements, expected) == nil)
  }

  @Test(arguments: ISA.runnable)
  func zerosStayZerosAndNaNSpreadsOverItsRowAlone(isa: ISA) {
    let width = 19
    let weight = [Float](repeating: 1, count: width)
    var x = [Float](repeating: 0, count: 3 * width)
    x[width + 7] = .nan
    let out = norm(isa, threads: 2, x: x, delta: nil, weight: weight, rows: 3).out
    for row in [0, 2] { #expect(out[row * width..<(row + 1) * width].allSatisfy { $0 == 0 }) }
    #expect(out[width..<2 * width].allSatisfy { $0.isNaN })
  }
}
