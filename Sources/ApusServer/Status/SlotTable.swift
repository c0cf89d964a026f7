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
    var waiting: [RequestID: Arrival] = [:]
  }

  private let state: Mutex<State>

  public init(slotCount: Int) { state = Mutex(State(slots: Array(repeating: nil, count: slotCount))) }

  /// What each slot holds.
  public var occupants: [Occupant?] { state.withLock { $0.slots } }

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
            submitted: arrival.submitted, admitted: time)
        occupant.phase = .prefill
        state.slots[slot] = occupant
      case .token(_, let slot, _, let time):
        guard state.slots.indices.contains(slot), state.slots[slot] != nil else { break }
        state.slots[slot]!.phase = .decode
        state.slots[slot]!.generatedTokenCount += 1
        state.slots[slot]!.newest = time
        if state.slots[slot]!.firstToken == nil { state.slots[slot]!.firstToken = time }
      case .preempted(let id, let slot, _, _):
        guard state.slots.indices.contains(slot), let occupant = state.slots[slot] else { break }
        state.slots[slot] = nil
        state.waiting[id] = Arrival(
          promptTokenCount: occupant.promptTokenCount, submitted: occupant.submitted, occupant: occupant)
      case .finished(let id, let slot, _, _):
        state.waiting[id] = nil
        if let slot, state.slots.indices.contains(slot) { state.slots[slot] = nil }
      case .reused, .step: break
      }
    }
  }
}

extension SlotTable {
  /// The slots in the shape of llama-server's `/slots`, with more.
  package func json(contextLength: Int) -> JSONText {
    .array(
      occupants.enumerated().map { index, occupant in
        var members = [
          JSONText.Member(name: "id", value: .integer(index)),
          JSONText.Member(name: "n_ctx", value: .integer(contextLength)),
          JSONText.Member(name: "is_processing", value: .boolean(occupant != nil)),
          JSONText.Member(name: "state", value: .string(occupant?.phase.rawValue ?? "idle")),
        ]
        if let occupant { members += occupant.members }
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

  fileprivate var members: [JSONText.Member] {
    [
      JSONText.Member(name: "id_task", value: .unsigned(request.rawValue)),
      JSONText.Member(name: "prompt_tokens", value: .integer(promptTokenCount)),
      JSONText.Member(name: "generated_tokens", value: .integer(generatedTokenCount)),
      JSONText.Member(name: "queue_seconds", value: .double((admitted - submitted).inSeconds)),
      JSONText.Member(
        name: "time_to_first_token_seconds",
        value: .optional(firstToken) { .double(($0 - submitted).inSeconds) }),
      JSONText.Member(name: "tokens_per_second", value: .optional(tokensPerSecond) { .double($0) }),
    ]
  }
}
