import CKernels
import Testing

/// An instruction set that runs here: one argument of every kernel test.
struct ISA: Sendable, CustomTestStringConvertible {
  let value: ck_isa

  static let runnable: [ISA] = (0..<UInt32(CK_ISA_COUNT)).map { ISA(value: ck_isa(rawValue: $0)) }
    .filter { ck_isa_runnable($0.value) }

  var table: ck_kernel_table { ck_kernels(value)!.pointee }
  var lanes: Int { Int(table.vector_lanes) }
  var testDescription: String { String(cString: ck_isa_name(value)) }

  /// What `activation` is taken for in products with weights of `type`.
  func activation(_ activation: ck_activation, for type: ck_weight_type) -> ck_activation {
    let areBytes = [CK_WEIGHT_I8, CK_WEIGHT_I8A, CK_WEIGHT_I8H].contains(type)
    return activation == CK_ACTIVATION_I8 && areBytes ? table.i8_activation : activation
  }

  /// 1, one either side of a vector, several vectors and a tail.
  var edgeSizes: [Int] { Array(Set([1, lanes - 1, lanes, lanes + 1, 2 * lanes + 3])).sorted() }
}

/// An instruction set and a type of keys and values: one argument of every test of the cache.
struct CacheVariant: Sendable, CustomTestStringConvertible {
  let isa: ISA
  let type: ck_kv_type

  static let types = [CK_KV_F32, CK_KV_F16, CK_KV_BF16, CK_KV_I8]
  static let runnable = ISA.runnable.flatMap { isa in types.map { CacheVariant(isa: isa, type: $0) } }

  var testDescription: String { "\(isa.testDescription), cache type \(type.rawValue)" }
}

/// A context of `threads` threads. They live as long as the process, so that a pointer to one is never stale.
struct Context: @unchecked Sendable {
  let pointer: OpaquePointer

  private static let threadCounts = 1...3
  private static let all: [[Context]] = ISA.runnable.map { isa in threadCounts.map { Context(isa, new: $0) } }

  private init(_ isa: ISA, new threads: Int) {
    var created: OpaquePointer?
    precondition(ck_context_create(isa.value, Int32(threads), &created) == CK_OK)
    pointer = created!
  }

  init(_ isa: ISA, threads: Int = 2) {
    let index = ISA.runnable.firstIndex { $0.value == isa.value }!
    self = Self.all[index][threads - Self.threadCounts.lowerBound]
  }
}
