public import ApusEngine
import Synchronization

/// Which request holds which slot, and how far it has come. Pass `record` to an engine as its observer;
/// reading never waits for a step.
public final class SlotTable: Sendable {
  public enum Phase: String, Sendable {
    case prefill, decode
  }

  /// A request in a slot.
  public struct Occupant: Sendable, Equatable {
    public var request: RequestID
    public var phase: Phase
    public var promptTokenCount: Int
    public var generatedTokenCount: Int
    /// On the engine's clock.
    public var submitted: Duration
    public var admitted: Duration
    /// When it got this slot: later than `admitted` if it was preempted in between.
    public var entered: Duration
    public var firstToken: Duration?
    /// When the newest token came.
    public var newest: Duration?
  }

  private struct Arrival {
    var promptTokenCount: Int
    var submitted: Duration
    /// What a preempted request had.
    var occupant: Occupant?
  }

  private struct State {
    var slots: [Occupant?]
    var histories: [SlotHistory]
    var waiting: [RequestID: Arrival] = [:]

    /// Frees the slot, if it is one that somebody holds, and keeps who held it.
    mutating func leave(_ slot: Int?, _ end: SlotStay.End, at time: Duration) -> Occupant? {
      guard let slot, slots.indices.contains(slot), let occupant = slots[slot] else { return nil }
      histories[slot].append(SlotStay(occupant: occupant, ended: time, end: end))
      slots[slot] = nil
      return occupant
    }
  }

  private let state: Mutex<State>

  public init(slotCount: Int) {
    state = Mutex(
      State(
        slots: Array(repeating: nil, count: slotCount),
        histories: Array(repeating: SlotHistory(), count: slotCount)))
  }

  /// What each slot holds.
  public var occupants: [Occupant?] { state.withLock { $0.slots } }

  /// What each slot held: the stays that ended at or after `time` on the engine's clock, at most the newest
  /// 64 of a slot, oldest first.
  public func stays(since time: Duration) -> [[SlotStay]] {
    state.withLock { $0.histories.map { Array($0.since(time)) } }
  }

  @Sendable public func record(_ event: EngineEvent) {
    state.withLock { state in
      switch event {
      case .submitted(let arrival, let time):
        state.waiting[arrival.id] = Arrival(
          promptTokenCount: arrival.promptTokens.count, submitted: time, occupant: nil)
      case .admitted(let id, let slot, let time):
        guard let arrival = state.waiting.removeValue(forKey: id), state.slots.indices.contains(slot) else {
          break
        }
        var occupant =
          arrival.occupant
          ?? Occupant(
            request: id, phase: .prefill, promptTokenCount: arrival.promptTokenCount, generatedTokenCount: 0,
            submitted: arrival.submitted, admitted: time, entered: time)
        occupant.phase = .prefill
        occupant.entered = time
        state.slots[slot] = occupant
      case .token(_, let slot, _, let time):
        guard state.slots.indices.contains(slot), state.slots[slot] != nil else { break }
        state.slots[slot]!.phase = .decode
        state.slots[slot]!.generatedTokenCount += 1
        state.slots[slot]!.newest = time
        if state.slots[slot]!.firstToken == nil { state.slots[slot]!.firstToken = time }
      case .preempted(let id, let slot, _, let time):
        guard let occupant = state.leave(slot, .preempted, at: time) else { break }
        state.waiting[id] = Arrival(
          promptTokenCount: occupant.promptTokenCount, submitted: occupant.submitted, occupant: occupant)
      case .finished(let id, let slot, _, let time):
        state.waiting[id] = nil
        _ = state.leave(slot, .finished, at: time)
      case .reused, .step: break
      }
    }
  }
}

extension SlotTable {
  /// What `/slots` tells of the past, and as of when.
  package struct Past: Sendable {
    /// On the engine's clock.
    package var now: Duration
    /// Stays that ended so long ago, at most.
    package var length: Duration

    package init(now: Duration, length: Duration) {
      self.now = now
      self.length = length
    }
  }

  /// The slots in the shape of llama-server's `/slots`, with more.
  /// - Parameter past: each slot tells what it held, too.
  package func json(contextLength: Int, past: Past? = nil) -> JSONText {
    let (occupants, histories) = state.withLock { ($0.slots, $0.histories) }
    return .array(
      occupants.enumerated().map { index, occupant in
        var members = [
          JSONText.Member(name: "id", value: .integer(index)),
          JSONText.Member(name: "n_ctx", value: .integer(contextLength)),
          JSONText.Member(name: "is_processing", value: .boolean(occupant != nil)),
          JSONText.Member(name: "state", value: .string(occupant?.phase.rawValue ?? "idle")),
        ]
        if let occupant { members += occupant.members }
        if let past {
          let stays = histories[index].since(past.now - past.length)
          members.append(JSONText.Member(name: "now", value: .double(past.now.inSeconds)))
          members.append(JSONText.Member(name: "recent", value: .array(stays.map(\.json))))
        }
        return .object(members)
      })
  }
}

extension SlotTable.Occupant {
  /// Tokens a second since the first; nil before the second.
  package var tokensPerSecond: Double? {
    guard let firstToken, let newest, newest > firstToken else { return nil }
    return Double(generatedTokenCount - 1) / (newest - firstToken).inSeconds
  }

  /// Moments are seconds on the engine's clock.
  var members: [JSONText.Member] {
    [
      JSONText.Member(name: "id_task", value: .unsigned(request.rawValue)),
      JSONText.Member(name: "prompt_tokens", value: .integer(promptTokenCount)),
      JSONText.Member(name: "generated_tokens", value: .integer(generatedTokenCount)),
      JSONText.Member(name: "queue_seconds", value: .double((admitted - submitted).inSeconds)),
      JSONText.Member(
        name: "time_to_first_token_seconds",
        value: .optional(firstToken) { .double(($0 - submitted).inSeconds) }),
      JSONText.Member(name: "tokens_per_second", value: .optional(tokensPerSecond) { .double($0) }),
      JSONText.Member(name: "entered", value: .double(entered.inSeconds)),
      JSONText.Member(name: "first_token", value: .optional(firstToken) { .double($0.inSeconds) }),
    ]
  }
}
