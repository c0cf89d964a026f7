import CKernels

/// The micro-kernels of one instruction set and a number of threads: what every op is given.
///
/// Immutable, so it may be shared. The threads are OpenMP's: they sleep a few milliseconds after the last op.
public final class KernelContext: @unchecked Sendable {
  /// Most threads a context may have.
  public static let threadCountMax = Int(CK_THREADS_MAX)

  let pointer: OpaquePointer
  /// The instruction set whose kernels run.
  public let instructionSet: InstructionSet
  /// Threads that share each op.
  public let threadCount: Int
  /// Whether activations stay in f32 whatever the weights' type.
  public let isPrecise: Bool
  /// Whether products with bf16 weights round activations to bf16, as this instruction set's dot product wants.
  public let roundsActivationsToBF16: Bool

  /// - Parameters:
  ///   - instructionSet: nil for the best one that runs here.
  ///   - threadCount: nil for `ProcessorTopology.defaultThreadCount`.
  ///   - precise: keep f32 activations even where the dot products of bf16 or int8 would be faster.
  public init(
    instructionSet: InstructionSet? = nil, threadCount: Int? = nil, precise: Bool = false
  ) throws(KernelError) {
    let isa = instructionSet ?? .best
    let threads = threadCount ?? ProcessorTopology.current().defaultThreadCount
    guard (1...Self.threadCountMax).contains(threads) else {
      throw .threadCount(threads, maximum: Self.threadCountMax)
    }
    var created: OpaquePointer?
    switch ck_context_create(isa.cValue, Int32(threads), &created) {
    case CK_OK: break
    case CK_ERROR_ISA_NOT_RUNNABLE: throw .notRunnable(isa, runnable: InstructionSet.runnable)
    default: throw .outOfMemory(bytes: 0)
    }
    pointer = created!
    self.instructionSet = isa
    self.threadCount = threads
    isPrecise = precise
    roundsActivationsToBF16 =
      !precise && ck_kernels(isa.cValue)!.pointee.bf16_activation == CK_ACTIVATION_BF16
  }

  deinit { ck_context_destroy(pointer) }

  /// Runs `work` with all threads at hand: ops that it calls on this context start at once, instead of waking the
  /// threads for each. The threads spin meanwhile, so it is a sequence of ops and little else.
  public func withTeam(_ work: any TeamWork) {
    var work = work
    withUnsafeMutablePointer(to: &work) {
      ck_with_team(pointer, { $0!.assumingMemoryBound(to: (any TeamWork).self).pointee.run() }, $0)
    }
  }

  /// Runs an empty op and counts the threads that took part.
  public func countThreads() -> Int { Int(ck_context_count_threads(pointer)) }
}

/// What `KernelContext.withTeam` runs: an object that is made once, as a closure would be allocated for every step.
public protocol TeamWork: AnyObject {
  func run()
}
