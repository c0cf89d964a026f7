import Synchronization

/// Which request held which slot when. Pass `record` to an engine as its observer.
public final class SlotTimeline: Sendable {
  /// One request's stay in a slot.
  public struct Interval: Sendable, Equatable {
    public var request: RequestID
    public var slot: Int
    public var admitted: Duration
    /// End of prefill. Nil if the request ended before, or has not come so far.
    public var firstToken: Duration?
    /// The request ended, or lost the slot to another. Nil while it runs.
    public var finished: Duration?

    package init(
      request: RequestID, slot: Int, admitted: Duration, firstToken: Duration? = nil,
      finished: Duration? = nil
    ) {
      self.request = request
      self.slot = slot
      self.admitted = admitted
      self.firstToken = firstToken
      self.finished = finished
    }
  }

  private let recorded = Mutex<[Interval]>([])

  public init() {}

  /// In the order of admission.
  public var intervals: [Interval] { recorded.withLock { $0 } }

  @Sendable public func record(_ event: EngineEvent) {
    recorded.withLock { intervals in
      switch event {
      case .submitted, .reused, .step: break
      case .admitted(let request, let slot, let time):
        intervals.append(Interval(request: request, slot: slot, admitted: time))
      case .token(let request, _, _, let time):
        guard let index = intervals.lastIndex(where: { $0.request == request }) else { break }
        if intervals[index].firstToken == nil { intervals[index].firstToken = time }
      case .preempted(let request, _, _, let time), .finished(let request, _, _, let time):
        guard let index = intervals.lastIndex(where: { $0.request == request }) else { break }
        intervals[index].finished = time
      }
    }
  }
}
