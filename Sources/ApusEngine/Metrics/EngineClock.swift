/// Where the engine takes the time from: monotonic, from any origin.
public struct EngineClock: Sendable {
  public var now: @Sendable () -> Duration

  public init(now: @escaping @Sendable () -> Duration) { self.now = now }

  /// The system's monotonic clock, from this call on.
  public static func monotonic() -> EngineClock {
    let clock = ContinuousClock()
    let origin = clock.now
    return EngineClock { clock.now - origin }
  }
}
