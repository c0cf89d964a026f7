#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory that ends at an unreadable page: touching an element too many crashes the test.
///
/// Every byte starts as 0xFF, which is NaN as a float: what is read before it was written shows. Bytes
/// between the last element and the page, which only alignment can leave, and those before the first hold a
/// pattern, see `isIntact`.
public final class GuardedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Element>
  public let count: Int

  private let mapping: UnsafeMutableRawPointer
  private let mappedByteCount: Int
  private let usableByteCount: Int
  private let offset: Int

  public init(count: Int, alignment: Int = MemoryLayout<Element>.alignment) {
    precondition(count >= 0 && alignment > 0 && alignment & (alignment - 1) == 0)
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let byteCount = count * MemoryLayout<Element>.stride
    usableByteCount = (byteCount + page) / page * page
    mappedByteCount = usableByteCount + page
    let anonymous: Int32
    #if os(Linux)
      anonymous = Int32(MAP_ANONYMOUS)
    #else
      anonymous = MAP_ANON
    #endif
    let address = mmap(nil, mappedByteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | anonymous, -1, 0)
    guard let address, address != MAP_FAILED else { fatalError("no memory for \(mappedByteCount) bytes") }
    guard mprotect(address + usableByteCount, page, PROT_NONE) == 0 else { fatalError("no guard page") }
    mapping = address
    offset = (usableByteCount - byteCount) & ~(alignment - 1)
    self.count = count
    base = (address + offset).bindMemory(to: Element.self, capacity: max(count, 1))
    memset(address, 0xA5, usableByteCount)
    memset(base, 0xFF, byteCount)
  }

  public convenience init(_ elements: [Element], alignment: Int = MemoryLayout<Element>.alignment) {
    self.init(count: elements.count, alignment: alignment)
    elements.withUnsafeBufferPointer { elements in
      if let first = elements.baseAddress { base.update(from: first, count: elements.count) }
    }
  }

  deinit { munmap(mapping, mappedByteCount) }

  /// Whether nothing was written before the first element or after the last.
  public var isIntact: Bool {
    let end = offset + count * MemoryLayout<Element>.stride
    return holdsPattern(0..<offset) && holdsPattern(end..<usableByteCount)
  }

  /// Every byte is the pattern: the first is, and each equals its neighbour.
  private func holdsPattern(_ range: Range<Int>) -> Bool {
    guard let first = range.first else { return true }
    let bytes = mapping + first
    return bytes.load(as: UInt8.self) == 0xA5 && memcmp(bytes, bytes + 1, range.count - 1) == 0
  }

  public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count)
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  public var elements: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
