public import Foundation

/// Optional real data beside a checkout (`../shared/data`). Tests that use it are skipped visibly without it.
public enum SharedData {
  /// The folder, or nil where the checkout has none beside it.
  public static let folder: URL? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let candidates = [
      root.appending(path: "../shared/data"),
      ProcessInfo.processInfo.environment["APUS_SHARED_DATA"].map { URL(filePath: $0) },
    ]
    return candidates.compactMap { $0?.standardizedFileURL }.first {
      FileManager.default.fileExists(atPath: $0.path)
    }
  }()
}
