import ApusKernels
import BenchmarkSupport
import CKernels

/// What one core gave in one round, by loops that do nothing else.
struct CoreLimits {
  /// Bytes per second.
  var memory = 0.0
  var cache = 0.0
  /// Multiplications and additions per second.
  var arithmetic: [KernelCase.Arithmetic: Double] = [:]

  /// Seconds that a run takes at least, and by which limit.
  func bound(_ kernel: KernelCase) -> (seconds: Double, name: String) {
    let (bandwidth, place) = kernel.place == .memory ? (memory, "memory") : (cache, "cache")
    let reading = Double(kernel.bytes) / bandwidth
    let computing = Double(kernel.operations) / arithmetic[kernel.arithmetic]!
    return reading > computing ? (reading, place) : (computing, kernel.arithmetic.rawValue)
  }
}

/// Times cases in rounds: limits first, then each case, so that what the machine does meanwhile touches all alike.
struct KernelRounds {
  /// Long enough for the clock, short enough for all cases to see the same machine.
  private static let secondsPerCase = 0.02
  private static let cacheBytes = 128 << 10

  private let workbench: KernelWorkbench
  private let clock = ContinuousClock()
  private let memory: KernelCase
  private let cache: KernelCase
  /// In the order of `KernelCase.Arithmetic`.
  private let chains: [KernelCase]

  init(_ workbench: KernelWorkbench) throws {
    self.workbench = workbench
    let cases = try workbench.rowCases()
    memory = cases.first { $0.kernel == "memory_sum_u32" }!
    chains = cases.filter { $0.kernel.hasPrefix("multiply_add_chains") }
    let words: UnsafeMutablePointer<UInt32> = try workbench.allocate(Self.cacheBytes / 4)
    cache = KernelCase(
      kernel: "memory_sum_u32", shape: "cached", place: .cache, bytes: Self.cacheBytes
    ) { [table = workbench.table] in
      var sum: UInt32 = 0
      table.memory_sum_u32(&sum, words, Self.cacheBytes / 4)
    }
  }

  /// - Parameter progress: told the number of rounds done.
  func measure(
    _ cases: [KernelCase], rounds: Int, progress: (Int) -> Void
  ) throws -> [KernelResult] {
    var results = cases.map { _ in KernelResult() }
    for round in 0..<rounds {
      let limits = CoreLimits(
        memory: Double(memory.bytes) / seconds(memory), cache: Double(cache.bytes) / seconds(cache),
        arithmetic: Dictionary(
          uniqueKeysWithValues: zip(KernelCase.Arithmetic.allCases, chains).map {
            ($0, Double($1.operations) / seconds($1))
          }))
      for (index, kernel) in cases.enumerated() {
        let bound = limits.bound(kernel)
        results[index].limit = bound.name
        results[index].seconds.append(seconds(kernel))
        results[index].shares.append(bound.seconds / results[index].seconds.last!)
      }
      progress(round + 1)
    }
    return results
  }

  /// Of one run, over as many as fill the time.
  private func seconds(_ kernel: KernelCase) -> Double {
    var count = 1
    while true {
      let elapsed = clock.measure { for _ in 0..<count { kernel.run() } } / .seconds(1)
      if elapsed >= Self.secondsPerCase { return elapsed / Double(count) }
      count = max(2 * count, Int(Double(count) * 1.2 * Self.secondsPerCase / max(elapsed, 1e-9)))
    }
  }
}

/// One case's rounds.
struct KernelResult {
  var seconds: [Double] = []
  var shares: [Double] = []
  var limit = ""

  func cells(_ kernel: KernelCase) -> [String] {
    let time = seconds.median ?? .nan
    let spread = Spread(shares)
    return [
      kernel.kernel, kernel.shape,
      kernel.bytes > 0 ? formatted(Double(kernel.bytes) / time * 1e-9) : "-",
      kernel.operations > 0 ? formatted(Double(kernel.operations) / time * 1e-9) : "-", limit,
      formattedPercent(spread?.median),
      spread.map { "\(formattedPercent($0.minimum)) ... \(formattedPercent($0.maximum))" } ?? "-",
    ]
  }
}
