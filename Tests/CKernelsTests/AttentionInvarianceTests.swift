import CKernels
import TestSupport
import Testing

/// A row's bits depend on its own sequence alone.
@Suite struct AttentionInvarianceTests {
  private typealias Run = AttentionWorld.Run

  private struct Shape {
    var heads, kvHeads, size, window: Int
    var masked: Bool
  }

  private func world(
    _ shape: Shape, _ type: ck_kv_type, lengths: [Int], random: inout SplitMix64
  ) -> AttentionWorld {
    var world = AttentionWorld(heads: shape.heads, kvHeads: shape.kvHeads, size: shape.size, type: type)
    world.window = shape.window
    for length in lengths { world.append(length: length, random: &random) }
    if shape.masked { world.addMasks(random: &random) }
    return world
  }

  private let shapes = [
    Shape(heads: 7, kvHeads: 1, size: 16, window: 0, masked: false),
    Shape(heads: 3, kvHeads: 3, size: 5, window: 0, masked: false),
    Shape(heads: 4, kvHeads: 2, size: 80, window: 70, masked: false),
    Shape(heads: 16, kvHeads: 1, size: 10, window: 0, masked: true),
    Shape(heads: 2, kvHeads: 1, size: 64, window: 600, masked: true),
    Shape(heads: 40, kvHeads: 1, size: 12, window: 0, masked: false),
  ]

  /// Every row of sequences of these lengths, each alone: [sequence][position].
  private func alone(_ world: AttentionWorld, positions: [Range<Int>], isa: ISA) -> [[Int: [Float]]] {
    let context = Context(isa, threads: 1)
    return positions.enumerated().map { sequence, range in
      var rows: [Int: [Float]] = [:]
      for position in range {
        let run = Run(sequence: sequence, positions: position..<position + 1)
        rows[position] = world.attend([run], by: .op(context), seed: UInt64(position))
      }
      return rows
    }
  }

  private func expectRows(
    _ world: AttentionWorld, _ runs: [AttentionWorld.Run], _ rows: [[Int: [Float]]], isa: ISA, threads: Int,
    seed: UInt64
  ) {
    let out = world.attend(runs, by: .op(Context(isa, threads: threads)), seed: seed)
    let width = world.heads * world.size
    var row = 0
    for run in runs {
      for position in run.positions {
        let wrong = bitMismatch(
          Array(out[row * width..<(row + 1) * width]), rows[run.sequence][position]!)
        #expect(
          wrong == nil,
          "\(world.testDescription), \(threads) threads, sequence \(run.sequence), position \(position)")
        row += 1
      }
    }
  }

  @Test(arguments: CacheVariant.runnable)
  func rowAloneEqualsRowInAnyBatch(variant: CacheVariant) {
    var random = SplitMix64(seed: 21)
    for shape in shapes {
      let lengths = [1, 33, 128, 200, 530, 64, 1030, 90]
      let world = world(shape, variant.type, lengths: lengths, random: &random)
      let positions = lengths.map { max(0, $0 - random.nextInt(1...6))..<$0 }
      let rows = alone(world, positions: positions, isa: variant.isa)
      for count in [2, 3, 5, 8] {
        var runs = positions.enumerated().map { Run(sequence: $0, positions: $1) }
        runs.shuffle(using: &random)
        for threads in [1, 2] {
          expectRows(
            world, Array(runs.prefix(count)), rows, isa: variant.isa, threads: threads, seed: random.next())
        }
      }
    }
  }

  @Test(arguments: CacheVariant.runnable)
  func promptMayBeCutIntoAnyChunks(variant: CacheVariant) {
    var random = SplitMix64(seed: 22)
    for shape in shapes {
      let length = 150
      let world = world(shape, variant.type, lengths: [length], random: &random)
      let rows = alone(world, positions: [0..<length], isa: variant.isa)
      for chunk in [length, 1 + random.nextInt(1...8), 32, 45, 128] {
        var start = 0
        while start < length {
          let end = min(length, start + chunk)
          expectRows(
            world, [Run(sequence: 0, positions: start..<end)], rows, isa: variant.isa, threads: 2,
            seed: random.next())
          start = end
        }
      }
    }
  }

  @Test(arguments: CacheVariant.runnable)
  func longHistoriesMayBeCutAnywhere(variant: CacheVariant) {
    var random = SplitMix64(seed: 23)
    for shape in shapes {
      let length = 1100
      let world = world(shape, variant.type, lengths: [length], random: &random)
      let rows = alone(world, positions: [980..<length], isa: variant.isa)
      for (start, end) in [(980, 1100), (1000, 1040), (1020, 1030), (1099, 1100), (1023, 1025)] {
        for threads in [1, 2, 3] {
          expectRows(
            world, [Run(sequence: 0, positions: start..<end)], rows, isa: variant.isa, threads: threads,
            seed: random.next())
        }
      }
    }
  }

  /// A broken key reaches the rows that see it, and no earlier row of its chunk.
  @Test(arguments: CacheVariant.runnable)
  func nanReachesOnlyTheRowsThatSeeIt(variant: CacheVariant) {
    var random = SplitMix64(seed: 24)
    let (length, broken) = (100, 77)
    var world = AttentionWorld(heads: 3, kvHeads: 1, size: 16, type: variant.type)
    world.append(length: length, random: &random)
    let run = Run(sequence: 0, positions: 60..<length)
    let sound = world.attend([run], by: .op(Context(variant.isa)))
    for poisonsKeys in [true, false] {
      var poisoned = world
      if poisonsKeys {
        poisoned.histories[0].keys[broken * 16 + 3] = .nan
      } else {
        for column in 0..<16 { poisoned.histories[0].values[broken * 16 + column] = .nan }
      }
      let out = poisoned.attend([run], by: .op(Context(variant.isa)))
      let before = (broken - 60) * 48
      #expect(bitMismatch(Array(out[..<before]), Array(sound[..<before])) == nil)
      #expect(out[before...].allSatisfy { $0.isNaN })
    }
  }

  /// What is not finite, or not once it is rounded, is its own sequence's alone.
  @Test(arguments: CacheVariant.runnable, [Float.nan, .infinity, -.infinity, 1e30])
  func brokenKeysAndValuesStayInTheirSlot(variant: CacheVariant, broken: Float) {
    var random = SplitMix64(seed: 25)
    var world = AttentionWorld(heads: 4, kvHeads: 2, size: 16, type: variant.type)
    for length in [90, 70] { world.append(length: length, random: &random) }
    let run = Run(sequence: 1, positions: 40..<70)
    let sound = world.attend([run], by: .op(Context(variant.isa)))
    for index in stride(from: 5, to: 90 * 2 * 16, by: 16) {
      world.histories[0].keys[index] = broken
      world.histories[0].values[index] = broken
    }
    let out = world.attend([Run(sequence: 0, positions: 50..<90), run], by: .op(Context(variant.isa)))
    #expect(bitMismatch(Array(out.suffix(sound.count)), sound) == nil)
    #expect(out.suffix(sound.count).allSatisfy { $0.isFinite })
  }
}
