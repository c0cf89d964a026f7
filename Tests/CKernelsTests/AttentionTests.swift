import CKernels
import TestSupport
import Testing

@Suite struct AttentionTests {
  private typealias Run = AttentionWorld.Run

  private func expectReference(_ world: AttentionWorld, _ runs: [AttentionWorld.Run], _ isa: ISA) {
    let expected = world.attend(runs, by: .reference, seed: 7)
    let actual = world.attend(runs, by: .op(Context(isa)), seed: 8)
    let bounds = world.bounds(runs)
    let wrong = mismatch(actual, expected) { bounds[$0] }
    #expect(wrong == nil, "\(world.testDescription), positions \(runs.map(\.positions))")
  }

  @Test(arguments: CacheVariant.runnable, [1, 5, 10, 12, 16, 24, 64, 80, 96, 128, 192])
  func matchesReferenceForHeadSize(variant: CacheVariant, size: Int) {
    var random = SplitMix64(seed: UInt64(size))
    var world = AttentionWorld(heads: 6, kvHeads: 2, size: size, type: variant.type)
    for length in [1, 37, 140] { world.append(length: length, random: &random) }
    expectReference(
      world,
      [
        Run(sequence: 2, positions: 139..<140), Run(sequence: 0, positions: 0..<1),
        Run(sequence: 1, positions: 20..<37),
      ], variant.isa)
  }

  @Test(arguments: CacheVariant.runnable, [1, 2, 3, 4, 7, 8, 13, 16, 32, 33, 70])
  func matchesReferenceForHeadsOfOneGroup(variant: CacheVariant, group: Int) {
    var random = SplitMix64(seed: UInt64(group))
    for kvHeads in [1, 3] {
      var world = AttentionWorld(heads: group * kvHeads, kvHeads: kvHeads, size: 8, type: variant.type)
      for length in [70, 45] { world.append(length: length, random: &random) }
      expectReference(
        world, [Run(sequence: 0, positions: 69..<70), Run(sequence: 1, positions: 31..<45)], variant.isa)
    }
  }

  /// Either side of a vector, a page, a block and a split.
  @Test(arguments: CacheVariant.runnable, [2, 15, 31, 32, 33, 64, 127, 128, 129, 511, 512, 513, 640, 1025])
  func matchesReferenceForLength(variant: CacheVariant, length: Int) {
    var random = SplitMix64(seed: UInt64(length))
    var world = AttentionWorld(heads: 3, kvHeads: 1, size: 16, type: variant.type)
    world.append(length: length, random: &random)
    for rows in [1, min(length, 23)] {
      expectReference(world, [Run(sequence: 0, positions: length - rows..<length)], variant.isa)
    }
  }

  @Test(arguments: CacheVariant.runnable, [1, 2, 31, 32, 33, 130, 520, 2000])
  func matchesReferenceForWindow(variant: CacheVariant, window: Int) {
    var random = SplitMix64(seed: UInt64(window))
    var world = AttentionWorld(heads: 4, kvHeads: 2, size: 12, type: variant.type)
    world.window = window
    for length in [700, 90] { world.append(length: length, random: &random) }
    expectReference(
      world, [Run(sequence: 0, positions: 699..<700), Run(sequence: 1, positions: 40..<90)], variant.isa)
    expectReference(world, [Run(sequence: 0, positions: 500..<530)], variant.isa)
  }

  @Test(arguments: CacheVariant.runnable)
  func matchesReferenceUnderMasks(variant: CacheVariant) {
    var random = SplitMix64(seed: 11)
    for window in [0, 40] {
      var world = AttentionWorld(heads: 4, kvHeads: 2, size: 10, type: variant.type)
      world.window = window
      for length in [150, 60] { world.append(length: length, random: &random) }
      world.addMasks(random: &random)
      expectReference(
        world, [Run(sequence: 0, positions: 120..<150), Run(sequence: 1, positions: 59..<60)], variant.isa)
    }
  }

  @Test(arguments: CacheVariant.runnable)
  func matchesReferenceForScoresOfEverySize(variant: CacheVariant) {
    var random = SplitMix64(seed: 12)
    for magnitude in [0, 1e-20, 0.01, 5, 60] as [Float] {
      var world = AttentionWorld(heads: 2, kvHeads: 1, size: 16, type: variant.type)
      world.append(length: 200, magnitude: magnitude, random: &random)
      expectReference(world, [Run(sequence: 0, positions: 180..<200)], variant.isa)
    }
  }

  @Test(arguments: ISA.runnable)
  func rowsThatSeeNothingAreZero(isa: ISA) {
    var random = SplitMix64(seed: 13)
    var world = AttentionWorld(heads: 2, kvHeads: 1, size: 20)
    world.append(length: 600, random: &random)
    world.masks = [[UInt8](repeating: 0, count: 600 * 600)]
    // The second of three rows sees one position, its value.
    world.masks[0][598 * 600 + 17] = 1
    let width = 40
    for runs in [[Run(sequence: 0, positions: 597..<600)], [Run(sequence: 0, positions: 598..<599)]] {
      let out = world.attend(runs, by: .op(Context(isa)))
      let value = Array(world.histories[0].values[17 * 20..<18 * 20])
      for (row, position) in runs[0].positions.enumerated() {
        let expected = position == 598 ? value + value : [Float](repeating: 0, count: width)
        #expect(bitMismatch(Array(out[row * width..<(row + 1) * width]), expected) == nil)
      }
    }
  }

  /// The oracle against the formula, written out in Double for one head.
  @Test func referenceFollowsTheFormula() {
    var random = SplitMix64(seed: 14)
    var world = AttentionWorld(heads: 2, kvHeads: 1, size: 3)
    world.window = 4
    world.append(length: 9, random: &random)
    let actual = world.attend([Run(sequence: 0, positions: 8..<9)], by: .reference, scale: 0.5)
    let history = world.histories[0]
    var expected: [Float] = []
    for head in 0..<2 {
      let weights = (5...8).map { key -> Double in
        (0..<3).reduce(0) {
          $0 + Double(world.queries[0][(8 * 2 + head) * 3 + $1]) * Double(history.keys[key * 3 + $1])
        }
      }.map { exponential($0 * 0.5) }
      let total = weights.reduce(0, +)
      for column in 0..<3 {
        let sum = zip(5...8, weights).reduce(0) { $0 + $1.1 * Double(history.values[$1.0 * 3 + column]) }
        expected.append(Float(sum / total))
      }
    }
    #expect(mismatch(actual, expected) { _ in 1e-6 } == nil)
  }

}
