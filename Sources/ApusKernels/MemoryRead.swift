import CKernels

extension KernelContext {
  /// Reads `memory` once with this context's threads and instruction set, as linear layers stream weights, and
  /// returns the sum of its 32-bit words modulo 2^32. Bytes beyond the last whole word are left out.
  ///
  /// Timed over memory far larger than the caches it is the bandwidth that memory-bound steps are measured against.
  @discardableResult
  public func readSum(_ memory: KernelMemory) -> UInt32 {
    ck_memory_sum(pointer, memory.pointer(to: UInt32.self), memory.wordCount)
  }

  /// Sets every 32-bit word of `memory`, each by the thread that reads it in `readSum`.
  public func fill(_ memory: KernelMemory, with value: UInt32) {
    ck_memory_fill(pointer, memory.pointer(to: UInt32.self), memory.wordCount, value)
  }
}

extension KernelMemory {
  /// Whole 32-bit words.
  public var wordCount: Int { byteCount / MemoryLayout<UInt32>.size }
}
