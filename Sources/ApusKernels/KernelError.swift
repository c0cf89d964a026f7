/// Why a context, or memory for it, could not be had.
public enum KernelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The instruction set asked for does not run here.
  case notRunnable(InstructionSet, runnable: [InstructionSet])
  /// The number of threads is not in 1...`maximum`.
  case threadCount(Int, maximum: Int)
  /// The system gave no memory.
  case outOfMemory(bytes: Int)
  /// A weight is not finite, or is not after conversion to the type it is held in.
  case notFinite(row: Int, column: Int)
  /// The scale or minimum of a weight's group has more digits than panels hold, or is 2^29 times smaller than another
  /// of its run.
  case inexactScale(row: Int, column: Int)

  public var description: String {
    switch self {
    case .notRunnable(let isa, let runnable):
      "instruction set \(isa.rawValue) does not run on this processor (these do: "
        + runnable.map(\.rawValue).joined(separator: ", ") + ")"
    case .threadCount(let count, let maximum):
      "\(count) threads asked for; expected 1...\(maximum)"
    case .outOfMemory(let bytes):
      "no memory for \(bytes) bytes"
    case .notFinite(let row, let column):
      "element [\(row), \(column)] is not finite in the type it is held in"
    case .inexactScale(let row, let column):
      "the group of element [\(row), \(column)] has a scale that cannot be held without loss"
    }
  }
}
