import Foundation

/// Results for people, as they come. Silent when results go to a program.
public struct Console: Sendable {
  public let isText: Bool
  public let progress: ProgressLine

  public init(isText: Bool, progress: ProgressLine) {
    self.isText = isText
    self.progress = progress
  }

  public func say(_ text: String) {
    guard isText else { return }
    progress.erase()
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
