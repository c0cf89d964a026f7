/// Names a request within one engine. Ids grow in the order of submission and are never used twice.
public struct RequestID: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }

  public var description: String { "request \(rawValue)" }
}
