import CKernels
import TestSupport
import Testing

/// What packing in I8 and I4 makes of weights.
@Suite struct QuantizedPackTests {
  private static let group = Int(CK_GROUP)

  /// The index that packing one row gives, and the row as it is held.
  private func packed(_ weights: [Float], _ type: ck_weight_type) -> (bad: Int64, weights: [Float]) {
    let inputs = Int32(weights.count)
    let source = GuardedBuffer(weights)
    let panels = GuardedBuffer<UInt8>(count: ck_panel_bytes(type, inputs), alignment: 64)
    var pack = ck_pack_args(
      source: source.base, source_type: CK_WEIGHT_F32, num_inputs: inputs, num_outputs: 1,
      panels: panels.base, type: type, first_panel: 0, panel_step: 1)
    let context = Context(ISA.runnable[0])
    let bad = ck_pack_linear(context.pointer, &pack)
    let index = GuardedBuffer<Int32>([0])
    let out = GuardedBuffer<Float>(count: weights.count)
    var unpack = ck_unpack_args(
      panels: panels.base, type: type, num_inputs: inputs, num_rows: 1, index: index.base, out: out.base,
      out_stride: weights.count)
    ck_embedding_gather(context.pointer, &unpack)
    #expect(source.isIntact && panels.isIntact && out.isIntact)
    return (bad, out.elements)
  }

  private func squaredError(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }

  /// A scale is a half, so the largest weight may fall 127 * 2^-11 steps beside its integer besides.
  @Test func int8IsWithinHalfAStepOfTheGroupsLargest() {
    var random = SplitMix64(seed: 71)
    for count in [1, 31, 32, 33, 200] {
      let weights = random.nextFloats(count, magnitude: 3)
      let (bad, held) = packed(weights, CK_WEIGHT_I8)
      #expect(bad == -1)
      for (index, weight) in weights.enumerated() {
        let first = index / Self.group * Self.group
        let most = weights[first..<min(first + Self.group, count)].map(\.magnitude).max()!
        let bound = Double(most) / 127 * (0.5 + 127.0 / 2048)
        #expect(abs(Double(held[index]) - Double(weight)) <= bound, "weight \(index) of \(count)")
      }
    }
  }

  /// Against the scale that maps the extreme to -8, in double.
  @Test func int4IsNoWorseThanWithTheScaleOfTheExtremeAndMostlyBetter() {
    var random = SplitMix64(seed: 72)
    var better = 0
    for _ in 0..<50 {
      let weights = random.nextFloats(Self.group, magnitude: 1)
      let (bad, held) = packed(weights, CK_WEIGHT_I4)
      let extreme = weights.max { $0.magnitude < $1.magnitude }!
      let scale = -Double(extreme) / 8
      let plain = weights.map { scale * min(7, max(-8, (Double($0) / scale).rounded())) }
      let exact = weights.map { Double($0) }
      let (own, reference) = (squaredError(held.map { Double($0) }, exact), squaredError(plain, exact))
      // The scale is rounded to a half.
      #expect(bad == -1 && own <= reference * 1.02)
      if own < reference * 0.98 { better += 1 }
    }
    #expect(better > 10)
  }

  @Test(arguments: [CK_WEIGHT_I8.rawValue, CK_WEIGHT_I4.rawValue])
  func namesTheFirstWeightThatIsNotFiniteAndTheFirstOfAGroupThatCannotBeScaled(type: UInt32) {
    let type = ck_weight_type(rawValue: type)
    for (at, value, expected) in [
      (40, Float.nan, Int64(40)), (63, .infinity, 63), (0, -.infinity, 0), (40, 1e30, 32), (70, -1e30, 64),
    ] {
      var weights = [Float](repeating: 1, count: 80)
      weights[at] = value
      #expect(packed(weights, type).bad == expected)
    }
  }

  @Test(arguments: [CK_WEIGHT_I8.rawValue, CK_WEIGHT_I4.rawValue])
  func weightsTooSmallForAScaleBecomeZero(type: UInt32) {
    let (bad, held) = packed([1e-12, -1e-12, 0], ck_weight_type(rawValue: type))
    #expect(bad == -1 && held.allSatisfy { $0 == 0 })
  }
}
