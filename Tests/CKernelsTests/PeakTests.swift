import CKernels
import TestSupport
import Testing

@Suite struct PeakTests {
  @Test(arguments: ISA.runnable)
  func chainsDoTheArithmeticTheyCount(isa: ISA) {
    for turns in [0, 1, 7] {
      let values = GuardedBuffer((0..<Int(CK_CHAINS_MAX)).map { Float($0 % 13) })
      var chains = ck_chains(values: values.base, turns: Int64(turns), count: 0, operations: 0)
      isa.table.multiply_add_chains_f32(&chains)
      let count = Int(chains.count)
      #expect((1...Int(CK_CHAINS_MAX)).contains(count) && chains.operations == Int64(2 * count * turns))
      let expected = (0..<Int(CK_CHAINS_MAX)).map { index in
        (0..<(index < count ? turns : 0)).reduce(Float(index % 13)) { value, _ in value * 0.5 + 1 }
      }
      #expect(values.elements == expected && values.isIntact)
    }
  }

  @Test(arguments: ISA.runnable)
  func chainsOfQuadsDoTheArithmeticTheyCount(isa: ISA) {
    for kernel in [isa.table.multiply_add_chains_i8, isa.table.multiply_add_chains_i4] {
      for turns in [0, 1, 7, 8, 21] {
        let values = GuardedBuffer((0..<Int(CK_CHAINS_MAX)).map { Float($0 % 13) })
        var chains = ck_chains(values: values.base, turns: Int64(turns), count: 0, operations: 0)
        kernel!(&chains)
        let count = Int(chains.count)
        #expect((1...Int(CK_CHAINS_MAX)).contains(count) && chains.operations == Int64(8 * count * turns))
        let expected = (0..<Int(CK_CHAINS_MAX)).map { Float($0 % 13 + ($0 < count ? 4 * turns : 0)) }
        #expect(values.elements == expected && values.isIntact)
      }
    }
  }

  @Test(arguments: ISA.runnable)
  func chainsOfPairsAreCountedOnlyWhereTheInstructionIs(isa: ISA) {
    let values = GuardedBuffer((0..<Int(CK_CHAINS_MAX)).map { Float($0 % 13) })
    var chains = ck_chains(values: values.base, turns: 7, count: 0, operations: 0)
    isa.table.multiply_add_chains_bf16(&chains)
    let hasPairs = isa.table.bf16_activation == CK_ACTIVATION_BF16
    #expect(chains.count > 0 && chains.operations == Int64(hasPairs ? 4 : 2) * Int64(chains.count) * 7)
    let first = (0..<7).reduce(Float(0)) { value, _ in hasPairs ? value + 1 : value * 0.5 + 1 }
    #expect(values[0] == first && values.isIntact)
  }
}
