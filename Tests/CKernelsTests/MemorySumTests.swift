import CKernels
import TestSupport
import Testing

@Suite struct MemorySumTests {
  let tables = (0..<UInt32(CK_ISA_COUNT)).compactMap { ck_kernels(ck_isa(rawValue: $0)) }

  static func words(_ count: Int, seed: UInt64) -> [UInt32] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt32(truncatingIfNeeded: random.next()) }
  }

  @Test func referenceWrapsAround() {
    #expect(ck_reference_memory_sum([3, .max, 5], 3) == 7)
    #expect(ck_reference_memory_sum([3], 0) == 0)
  }

  @Test func everyInstructionSetCountsEveryWordOnce() {
    for table in tables {
      for count in [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000, 4096 + 77] {
        // One more in front: words need no more than their own alignment.
        let words = Self.words(count + 1, seed: UInt64(count))
        words.withUnsafeBufferPointer { words in
          var sum: UInt32 = 0xdead_beef
          table.pointee.memory_sum_u32(&sum, words.baseAddress! + 1, count)
          let expected = ck_reference_memory_sum(words.baseAddress! + 1, count)
          #expect(sum == expected, "\(String(cString: ck_isa_name(table.pointee.isa))), \(count) words")
        }
      }
    }
  }

  @Test(arguments: [Int32(1), 2, 3])
  func anyNumberOfThreadsGivesTheSameSum(threads: Int32) {
    for table in tables {
      var context: OpaquePointer?
      #expect(ck_context_create(table.pointee.isa, threads, &context) == CK_OK)
      defer { ck_context_destroy(context) }
      for count in [0, 1, 2, 5, 28 << 10, 200_001] {
        let words = Self.words(count, seed: UInt64(count))
        #expect(ck_memory_sum(context, words, count) == ck_reference_memory_sum(words, count))
      }
    }
  }

  @Test(arguments: [Int32(1), 2, 3])
  func fillsEveryWordAndNoneBeyond(threads: Int32) {
    var context: OpaquePointer?
    #expect(ck_context_create(CK_ISA_PORTABLE, threads, &context) == CK_OK)
    defer { ck_context_destroy(context) }
    for count in [0, 1, 2, 1001] {
      var words = [UInt32](repeating: 1, count: count + 1)
      ck_memory_fill(context, &words, count, 7)
      #expect(words == [UInt32](repeating: 7, count: count) + [1])
    }
  }
}
