import ApusEngine
import Synchronization
import Testing

@testable import ApusServer

@Suite struct StatusTests {
  private let keys = Authentication(keys: ["secret", "other-key"])

  @Test func aKeyIsFoundInTheHeaderAndNowhereElse() {
    #expect(keys.index(ofKeyIn: "Bearer secret") == 0)
    #expect(keys.index(ofKeyIn: "bearer other-key") == 1)
    for header in [
      nil, "", "secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret",
      "Bearer secretsecret", "Bearer  secret",
    ] { #expect(keys.index(ofKeyIn: header) == nil, "\(header ?? "nil")") }
    #expect(!Authentication.areEqual([], []))
  }

  @Test func aClientIsToldOfItsEndOnce() {
    let connection = ClientConnection()
    let counter = Counter()
    _ = connection.onClose { counter.add() }
    connection.removeObserver(connection.onClose { counter.add() })
    connection.close()
    connection.close()
    #expect(counter.value == 1)
    _ = connection.onClose { counter.add() }
    #expect(counter.value == 2)
  }

  private func arrival(_ id: UInt64) -> EngineEvent {
    .submitted(
      RequestArrival(id: RequestID(rawValue: id), promptTokens: [1, 2, 3]), at: .seconds(Int(id)))
  }

  @Test func slotsShowWhoHoldsThem() {
    let table = SlotTable(slotCount: 2)
    let id = RequestID(rawValue: 1)
    table.record(arrival(1))
    #expect(table.occupants == [nil, nil])
    table.record(.admitted(id, slot: 1, at: .seconds(2)))
    #expect(table.occupants[1]?.phase == .prefill)
    #expect(table.occupants[1]?.promptTokenCount == 3)
    for second in 3...5 {
      table.record(.token(id, slot: 1, GeneratedToken(id: 7, position: second), at: .seconds(second)))
    }
    #expect(table.occupants[1]?.phase == .decode)
    #expect(table.occupants[1]?.tokensPerSecond == 1)
    // Who loses the slot keeps its count, and may come back in another.
    table.record(.preempted(id, slot: 1, by: RequestID(rawValue: 0), at: .seconds(6)))
    #expect(table.occupants == [nil, nil])
    table.record(.admitted(id, slot: 0, at: .seconds(7)))
    #expect(table.occupants[0]?.generatedTokenCount == 3)
    table.record(.finished(id, slot: 0, .length, at: .seconds(8)))
    #expect(table.occupants == [nil, nil])
  }

  @Test func whoWasRefusedMayComeBackWithinAMinute() {
    #expect(RetryEstimate.seconds(EngineMetrics(slotCount: 8)) == 1)
  }
}

/// Counts from any thread.
final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}
