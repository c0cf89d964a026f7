import CKernels

/// An instruction set with micro-kernels of its own. Raw values are the stable names used on command lines.
public enum InstructionSet: String, Sendable, CaseIterable {
  /// Plain C, for any processor.
  case portable
  /// x86-64 with AVX2, FMA and F16C.
  case avx2
  /// The same with AVX-VNNI.
  case avx2VNNI = "avx2_vnni"
  /// x86-64 with AVX-512 F, BW, DQ and VL.
  case avx512
  /// The same with VNNI.
  case avx512VNNI = "avx512_vnni"
  /// The same with VNNI and BF16.
  case avx512BF16 = "avx512_bf16"
  /// arm64 baseline.
  case neon
  /// arm64 with dot product.
  case neonDot = "neon_dot"
  /// arm64 with dot product and BF16.
  case neonBF16 = "neon_bf16"

  /// Whether this build has it, this processor runs it and the operating system saves its registers.
  public var isRunnable: Bool { ck_isa_runnable(cValue) }

  /// The best one that runs here.
  public static var best: InstructionSet { InstructionSet(ck_isa_best()) }

  /// All that run here, portable first.
  public static var runnable: [InstructionSet] { allCases.filter(\.isRunnable) }

  var cValue: ck_isa {
    switch self {
    case .portable: CK_ISA_PORTABLE
    case .avx2: CK_ISA_AVX2
    case .avx2VNNI: CK_ISA_AVX2_VNNI
    case .avx512: CK_ISA_AVX512
    case .avx512VNNI: CK_ISA_AVX512_VNNI
    case .avx512BF16: CK_ISA_AVX512_BF16
    case .neon: CK_ISA_NEON
    case .neonDot: CK_ISA_NEON_DOT
    case .neonBF16: CK_ISA_NEON_BF16
    }
  }

  init(_ value: ck_isa) {
    self = Self.allCases.first { $0.cValue == value } ?? .portable
  }
}
