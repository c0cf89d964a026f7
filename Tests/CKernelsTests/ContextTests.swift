import CKernels
import Testing

@Suite struct ContextTests {
  @Test(arguments: ISA.runnable)
  func reportsTheInstructionSetAskedFor(isa: ISA) {
    let context = Context(isa)
    #expect(ck_context_isa(context.pointer) == isa.value)
    #expect(isa.table.isa == isa.value)
  }

  @Test func portableAlwaysRuns() {
    #expect(ISA.runnable.contains { $0.value == CK_ISA_PORTABLE })
    #expect(ISA.runnable.contains { $0.value == ck_isa_best() })
  }

  @Test(arguments: ISA.runnable)
  func runsAsManyThreadsAsAskedFor(isa: ISA) {
    for threads in 1...3 as ClosedRange<Int32> {
      var created: OpaquePointer?
      #expect(ck_context_create(isa.value, threads, &created) == CK_OK)
      #expect(ck_context_num_threads(created) == threads)
      #expect(ck_context_count_threads(created) == threads)
      ck_context_destroy(created)
    }
  }

  @Test(arguments: [0, -1, Int32(CK_THREADS_MAX) + 1])
  func refusesThreadCount(count: Int32) {
    var created: OpaquePointer?
    #expect(ck_context_create(CK_ISA_PORTABLE, count, &created) == CK_ERROR_THREAD_COUNT)
    #expect(created == nil)
  }

  @Test func refusesInstructionSetsThatDoNotRun() {
    for raw in 0..<UInt32(CK_ISA_COUNT + 2) where !ck_isa_runnable(ck_isa(rawValue: raw)) {
      var created: OpaquePointer?
      #expect(ck_context_create(ck_isa(rawValue: raw), 1, &created) == CK_ERROR_ISA_NOT_RUNNABLE)
      #expect(created == nil)
      #expect(ck_kernels(ck_isa(rawValue: raw)) == nil)
    }
  }

  /// The list's pointers are the last fields of the table, in order.
  @Test(arguments: ISA.runnable)
  func everyKernelOfTheListIsInTheTable(isa: ISA) {
    var names: [String] = []
    var entry = ck_kernel_names()!
    while let name = entry.pointee {
      names.append(String(cString: name))
      entry += 1
    }
    #expect(names.count > 0 && Set(names).count == names.count)
    let pointerSize = MemoryLayout<UInt>.size
    let first = MemoryLayout<ck_kernel_table>.size - names.count * pointerSize
    let table = UnsafeRawPointer(ck_kernels(isa.value)!)
    for (index, name) in names.enumerated() {
      #expect(table.load(fromByteOffset: first + index * pointerSize, as: UInt.self) != 0, "\(name)")
    }
  }
}
