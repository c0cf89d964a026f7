import ApusEngine

/// A request's time in a slot, from when it got it until it lost it.
public struct SlotStay: Sendable, Equatable {
  public enum End: String, Sendable {
    case finished, preempted
  }

  public var occupant: SlotTable.Occupant
  /// On the engine's clock.
  public var ended: Duration
  public var end: End
}

/// The newest stays of one slot, oldest first.
struct SlotHistory: Sendable {
  /// What is kept of a slot.
  static let stayCountMax = 64

  private(set) var stays: [SlotStay] = []

  mutating func append(_ stay: SlotStay) {
    if stays.count == Self.stayCountMax { stays.removeFirst() }
    stays.append(stay)
  }

  /// Those that ended at or after `time`.
  func since(_ time: Duration) -> ArraySlice<SlotStay> {
    stays[(stays.lastIndex { $0.ended < time }.map { $0 + 1 } ?? 0)...]
  }
}

extension SlotStay {
  /// Times are seconds on the engine's clock.
  var json: JSONText {
    .object(
      occupant.members + [
        JSONText.Member(name: "ended", value: .double(ended.inSeconds)),
        JSONText.Member(name: "end", value: .string(end.rawValue)),
      ])
  }
}
