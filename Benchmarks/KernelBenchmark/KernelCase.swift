import ApusKernels
import CKernels

/// One kernel at one shape: what a run moves and computes, and the run.
struct KernelCase {
  /// Where the bytes of a run are.
  enum Place {
    /// Beyond the caches: every run reads what the last one did not leave there.
    case memory
    /// In the second-level cache, or nearer.
    case cache
  }

  /// Instructions that multiply and add, each with a peak of its own.
  enum Arithmetic: String, CaseIterable {
    case f32
    case bf16Dot = "bf16 dot"
    case int8Dot = "int8 dot"
    case int4Dot = "int4 dot"
  }

  let kernel: String
  let shape: String
  let place: Place
  /// Read and written by one run.
  let bytes: Int
  /// Multiplications and additions of one run, where they count for more than the bytes.
  var operations = 0
  /// What the operations are.
  var arithmetic = Arithmetic.f32
  let run: () -> Void
}

/// What cases of one instruction set are made of: its kernels, and memory that outlives them.
final class KernelWorkbench {
  let table: ck_kernel_table
  let context: KernelContext
  private var arena: [KernelMemory] = []

  /// Outputs and inputs of a layer of Qwen2-0.5B's shape.
  static let width = 896
  /// Beyond the last-level cache of common processors.
  static let streamBytes = 256 << 20

  init(_ isa: InstructionSet) throws(KernelError) {
    context = try KernelContext(instructionSet: isa, threadCount: 1)
    let all = (0..<UInt32(CK_ISA_COUNT)).map { ck_isa(rawValue: $0) }
    table = ck_kernels(all.first { String(cString: ck_isa_name($0)) == isa.rawValue }!)!.pointee
  }

  /// Zeroed memory of `count` elements.
  func allocate<Element: BitwiseCopyable>(_ count: Int, of type: Element.Type = Element.self) throws
    -> UnsafeMutablePointer<Element>
  {
    let memory = try KernelMemory(byteCount: count * MemoryLayout<Element>.stride)
    arena.append(memory)
    return memory.pointer()
  }

  /// Values in -1..<1 that are the same in every run.
  func floats(_ count: Int) throws -> UnsafeMutablePointer<Float> {
    let values: UnsafeMutablePointer<Float> = try allocate(count)
    var state: UInt32 = 1
    for index in 0..<count {
      state = state &* 1_664_525 &+ 1_013_904_223
      values[index] = Float(Int32(bitPattern: state) >> 8) / Float(1 << 23)
    }
    return values
  }

  /// Every kernel of the list at the shapes that matter.
  func cases() throws -> [KernelCase] {
    try linearCases() + rowCases() + attentionCases() + samplingCases()
  }
}
