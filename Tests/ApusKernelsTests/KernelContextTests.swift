import ApusKernels
import Testing

@Suite struct KernelContextTests {
  @Test(arguments: [0, -1, KernelContext.threadCountMax + 1])
  func aThreadCountOutOfRangeIsNamed(count: Int) {
    let expected = KernelError.threadCount(count, maximum: KernelContext.threadCountMax)
    #expect(throws: expected) { try KernelContext(threadCount: count) }
    let words = "\(count) threads asked for; expected 1...\(KernelContext.threadCountMax)"
    #expect(expected.description == words)
  }

  @Test(arguments: InstructionSet.allCases.filter { !$0.isRunnable })
  func anInstructionSetThatDoesNotRunIsRefusedWithThoseThatDo(isa: InstructionSet) {
    let expected = KernelError.notRunnable(isa, runnable: InstructionSet.runnable)
    #expect(throws: expected) { try KernelContext(instructionSet: isa) }
    #expect(expected.description.contains(isa.rawValue))
    #expect(expected.description.contains("portable"))
  }

  @Test(arguments: InstructionSet.runnable)
  func theInstructionSetAndTheThreadsAreThoseAskedFor(isa: InstructionSet) throws {
    let context = try KernelContext(instructionSet: isa, threadCount: 2)
    #expect(context.instructionSet == isa)
    #expect(context.countThreads() == 2)
  }

  @Test(arguments: InstructionSet.runnable)
  func preciseKeepsActivationsInF32(isa: InstructionSet) throws {
    #expect(try !KernelContext(instructionSet: isa, threadCount: 1, precise: true).roundsActivationsToBF16)
  }
}

@Suite struct KernelMemoryTests {
  @Test(arguments: [0, 1, 4096, 2 << 20, (2 << 20) + 1])
  func memoryIsZeroAndAligned(byteCount: Int) throws {
    let memory = try KernelMemory(byteCount: byteCount)
    let alignment = byteCount >= 2 << 20 ? 2 << 20 : 4096
    #expect(memory.byteCount == byteCount)
    #expect(Int(bitPattern: memory.base) % alignment == 0)
    #expect(UnsafeRawBufferPointer(start: memory.base, count: byteCount).allSatisfy { $0 == 0 })
  }

  @Test func moreMemoryThanThereIsIsRefusedByItsSize() {
    #expect(throws: KernelError.outOfMemory(bytes: 1 << 60)) { try KernelMemory(byteCount: 1 << 60) }
  }
}
