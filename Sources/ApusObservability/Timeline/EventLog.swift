public import ApusEngine
import Synchronization

/// Everything an engine told, in order: for runs that end. Pass `record` to it as its observer.
public final class EventLog: Sendable {
  private let recorded: Mutex<[EngineEvent]>

  /// - Parameter capacity: events to make room for, so that a step does not wait for memory.
  public init(capacity: Int = 0) {
    var events: [EngineEvent] = []
    events.reserveCapacity(capacity)
    recorded = Mutex(events)
  }

  public var events: [EngineEvent] { recorded.withLock { $0 } }

  /// From the submission of `first` on: what an idle engine did for requests taken since.
  public func events(from first: RequestID) -> [EngineEvent] {
    Array(
      events.drop { event in
        if case .submitted(let arrival, _) = event { arrival.id != first } else { true }
      })
  }

  @Sendable public func record(_ event: EngineEvent) { recorded.withLock { $0.append(event) } }
}
