#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Zeroed memory of its own pages, on huge pages where the system gives them: weights streamed through 4 KiB pages
/// miss the TLB once per 64 lines.
public final class KernelMemory: @unchecked Sendable {
  /// Start of the memory, aligned to a page at least.
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int
  private let mappedByteCount: Int

  /// - Throws: `KernelError.outOfMemory` when the system refuses.
  public init(byteCount: Int) throws(KernelError) {
    let hugePage = 2 << 20
    // Room to start on a huge page's boundary; small buffers need none of it.
    let isLarge = byteCount >= hugePage
    let mapped = max(byteCount, 1) + (isLarge ? hugePage : 0)
    let address = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | mapAnonymous, -1, 0)
    guard let address, address != MAP_FAILED else { throw .outOfMemory(bytes: byteCount) }
    mapping = address
    owner = nil
    mappedByteCount = mapped
    self.byteCount = byteCount
    let misalignment = Int(bitPattern: address) & (hugePage - 1)
    base = isLarge && misalignment != 0 ? address + (hugePage - misalignment) : address
    #if os(Linux)
      if isLarge { madvise(base, byteCount, MADV_HUGEPAGE) }
    #endif
  }

  /// Memory of another owner, which lives as long as this does. It must never be written.
  public init(borrowing bytes: UnsafeRawBufferPointer, of owner: AnyObject & Sendable) {
    base = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
    byteCount = bytes.count
    mappedByteCount = 0
    mapping = nil
    self.owner = owner
  }

  private let mapping: UnsafeMutableRawPointer?
  private let owner: (AnyObject & Sendable)?

  deinit { if let mapping { munmap(mapping, mappedByteCount) } }

  /// The memory from `byteOffset` on as elements of `type`.
  public func pointer<T>(to type: T.Type = T.self, byteOffset: Int = 0) -> UnsafeMutablePointer<T> {
    (base + byteOffset).assumingMemoryBound(to: type)
  }
}

#if os(Linux)
  private let mapAnonymous = Int32(MAP_ANONYMOUS)
#else
  private let mapAnonymous = MAP_ANON
#endif
