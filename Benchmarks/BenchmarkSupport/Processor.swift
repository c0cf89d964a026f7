import Foundation

public enum Processor {
  /// The processor's name as the system has it.
  public static func name() -> String {
    #if os(Linux)
      let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
      let name = line?.split(separator: ":", maxSplits: 1).last.map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    #else
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
      let name: String? = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #endif
    return name.flatMap { $0.isEmpty ? nil : $0 } ?? "unnamed processor"
  }
}
