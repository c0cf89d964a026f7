import Foundation

/// What this process may use of the machine's processors, and the number of threads that follows.
///
/// A core's second hardware thread adds nothing to a memory-bound step, and threads beyond a container's quota are
/// stopped in the middle of one, so the default is physical cores within the affinity mask and the cgroup quota.
public struct ProcessorTopology: Sendable, Equatable {
  /// Logical processors in this process's affinity mask.
  public var allowedProcessors: Int
  /// Physical cores behind them.
  public var physicalCores: Int
  /// The cgroup's CPU quota in cores, nil when there is none.
  public var quota: Double?

  public init(allowedProcessors: Int, physicalCores: Int, quota: Double?) {
    self.allowedProcessors = allowedProcessors
    self.physicalCores = physicalCores
    self.quota = quota
  }

  /// Physical cores within the quota, at least 1 and at most what a context takes.
  public var defaultThreadCount: Int {
    let cores = max(1, min(physicalCores, allowedProcessors))
    let limit = quota.map { max(1, Int($0.rounded(.down))) } ?? cores
    return min(cores, limit, KernelContext.threadCountMax)
  }

  /// Why `defaultThreadCount` is what it is, in one line.
  public var reason: String {
    var parts = ["\(physicalCores) physical cores", "\(allowedProcessors) processors allowed"]
    if let quota { parts.append("a quota of \(quota) cores") }
    return parts.joined(separator: ", ")
  }

  /// Reads the machine.
  public static func current() -> ProcessorTopology {
    #if os(Linux)
      let allowed = affinity()
      return ProcessorTopology(
        allowedProcessors: allowed.count, physicalCores: coreCount(of: allowed), quota: cgroupQuota())
    #else
      let count = ProcessInfo.processInfo.activeProcessorCount
      return ProcessorTopology(
        allowedProcessors: count, physicalCores: darwinPhysicalCores() ?? count, quota: nil)
    #endif
  }
}

#if os(Linux)
  extension ProcessorTopology {
    private static func affinity() -> [Int] {
      let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
      let list = line.map { parseProcessorList($0.dropFirst("Cpus_allowed_list:".count)) } ?? []
      return list.isEmpty ? Array(0..<ProcessInfo.processInfo.activeProcessorCount) : list
    }

    private static func coreCount(of processors: [Int]) -> Int {
      var cores: Set<String> = []
      for processor in processors {
        let siblings = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
        guard let text = try? String(contentsOfFile: siblings, encoding: .utf8) else {
          return processors.count
        }
        cores.insert(text.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      return max(1, cores.count)
    }

    private static func cgroupQuota() -> Double? {
      func words(_ path: String) -> [String] {
        (try? String(contentsOfFile: path, encoding: .utf8))?.split(whereSeparator: \.isWhitespace).map(
          String.init) ?? []
      }
      var quotas: [Double] = []
      for path in cgroupPaths() {
        quotas += [parseQuota(words("\(path)/cpu.max"))].compactMap { $0 }
      }
      // Version 1 keeps the two numbers in files of their own; -1 means no limit.
      let v1 = "/sys/fs/cgroup/cpu"
      quotas += [
        parseQuota(words("\(v1)/cpu.cfs_quota_us") + words("\(v1)/cpu.cfs_period_us"))
      ].compactMap { $0 }
      return quotas.min()
    }

    /// The process's cgroup (version 2) and its ancestors: the tightest of their limits holds.
    private static func cgroupPaths() -> [String] {
      let own = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8))?
        .split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3)
      var path = own.map(String.init) ?? "/"
      var paths: [String] = ["/sys/fs/cgroup"]
      while path.count > 1 {
        paths.append("/sys/fs/cgroup" + path)
        path = (path as NSString).deletingLastPathComponent
      }
      return paths
    }
  }
#else
  extension ProcessorTopology {
    private static func darwinPhysicalCores() -> Int? {
      var count: Int32 = 0
      var size = MemoryLayout<Int32>.size
      return sysctlbyname("hw.perflevel0.physicalcpu", &count, &size, nil, 0) == 0 && count > 0
        ? Int(count) : nil
    }
  }
#endif

extension ProcessorTopology {
  /// A cgroup's `cpu.max`: quota and period in microseconds, "max" or -1 for no limit.
  static func parseQuota(_ words: [String]) -> Double? {
    guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  /// The kernel's list format: "0-3,8" is 0, 1, 2, 3, 8. Malformed parts count for nothing.
  static func parseProcessorList(_ text: some StringProtocol) -> [Int] {
    text.split(separator: ",").flatMap { part -> [Int] in
      let bounds = part.split(separator: "-").compactMap {
        Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      guard let first = bounds.first, let last = bounds.last, first >= 0, last >= first, last < 1 << 16 else {
        return []
      }
      return Array(first...last)
    }
  }
}
