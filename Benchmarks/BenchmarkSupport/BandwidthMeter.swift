import ApusEngine
public import ApusKernels

/// Reads memory with the threads, instruction set and access pattern of the linear layers.
public struct BandwidthMeter: Sendable {
  /// Far beyond the last-level cache of common processors.
  private static let byteCount = 512 << 20
  private static let passCount = 8

  private let context: KernelContext
  private let memory: KernelMemory

  public init(_ context: KernelContext) throws(KernelError) {
    self.context = context
    memory = try KernelMemory(byteCount: Self.byteCount)
    context.fill(memory, with: 1)
  }

  public func measure() -> BandwidthReading {
    let clock = ContinuousClock()
    // The first pass wakes the threads.
    context.readSum(memory)
    let passes = (0..<Self.passCount).map { _ in
      clock.measure { context.readSum(memory) }.inSeconds
    }
    return BandwidthReading(byteCount: Self.byteCount, passes: passes)
  }
}
