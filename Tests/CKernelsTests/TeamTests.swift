import CKernels
import TestSupport
import Testing

@Suite struct TeamTests {
  /// Runs `body` with the threads of `context` at hand.
  private func withTeam(_ context: Context, _ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
      var run = body
      withUnsafeMutablePointer(to: &run) { run in
        ck_with_team(
          context.pointer, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, run)
      }
    }
  }

  @Test(arguments: 1...3)
  func theBodyRunsOnceAndItsOpsHaveAllThreads(threads: Int) {
    let context = Context(ISA.runnable[0], threads: threads)
    var runs = 0
    var counts: [Int32] = []
    withTeam(context) {
      runs += 1
      for _ in 0..<100 { counts.append(ck_context_count_threads(context.pointer)) }
    }
    #expect(runs == 1)
    #expect(counts == Array(repeating: Int32(threads), count: 100))
  }

  @Test func aTeamWithinATeamIsTheSameTeam() {
    let context = Context(ISA.runnable[0], threads: 2)
    var count: Int32 = 0
    withTeam(context) { withTeam(context) { count = ck_context_count_threads(context.pointer) } }
    #expect(count == 2)
    #expect(ck_context_count_threads(context.pointer) == 2)
  }

  /// Its scratch may be meant for fewer threads than the team has.
  @Test func anotherContextsOpsRunOnTheCallingThreadAlone() {
    let (two, three) = (Context(ISA.runnable[0], threads: 2), Context(ISA.runnable[0], threads: 3))
    var count: Int32 = 0
    withTeam(three) { count = ck_context_count_threads(two.pointer) }
    #expect(count == 1)
  }

  /// Thousands of short ops in a row, most with barriers: nothing may be lost or done twice.
  @Test(arguments: ISA.runnable)
  func opsOfATeamGiveTheBitsOfLoneOps(isa: ISA) {
    var random = SplitMix64(seed: 66)
    let layer = LinearLayer(
      inputs: 33, columns: 16 * 23 + 5, type: CK_WEIGHT_BF16, epilogue: CK_EPILOGUE_ADD, biased: true,
      random: &random)
    layer.activation = CK_ACTIVATION_BF16
    let x = random.nextFloats(7 * 33), before = random.nextFloats(7 * layer.columns)
    let expected = layer.run(x, before: before, by: .op(Context(isa, threads: 1)))
    for threads in 2...3 {
      let context = Context(isa, threads: threads)
      var wrong: [String] = []
      withTeam(context) {
        for _ in 0..<1000 {
          let out = layer.run(x, before: before, by: .op(context))
          if let difference = bitMismatch(out, expected) { wrong.append(difference) }
        }
      }
      #expect(wrong.isEmpty, "\(threads) threads: \(wrong.first ?? "")")
    }
  }
}
