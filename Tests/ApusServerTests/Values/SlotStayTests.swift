import ApusEngine
import Testing

@testable import ApusServer

@Suite struct SlotStayTests {
  private func stay(_ table: SlotTable, _ id: UInt64, slot: Int, from start: Int, preempted: Bool = false) {
    let request = RequestID(rawValue: id)
    table.record(.admitted(request, slot: slot, at: .seconds(start)))
    table.record(.token(request, slot: slot, GeneratedToken(id: 7, position: 1), at: .seconds(start + 1)))
    table.record(
      preempted
        ? .preempted(request, slot: slot, by: RequestID(rawValue: 0), at: .seconds(start + 2))
        : .finished(request, slot: slot, .length, at: .seconds(start + 2)))
  }

  private func submit(_ table: SlotTable, _ id: UInt64) {
    table.record(
      .submitted(RequestArrival(id: RequestID(rawValue: id), promptTokens: [1]), at: .zero))
  }

  @Test func whoLosesASlotStaysInItsHistory() {
    let table = SlotTable(slotCount: 2)
    submit(table, 1)
    stay(table, 1, slot: 0, from: 10, preempted: true)
    stay(table, 1, slot: 1, from: 20)
    let stays = table.stays(since: .zero)
    #expect(stays[0].map(\.end) == [.preempted])
    #expect(stays[0].map(\.ended) == [.seconds(12)])
    #expect(stays[1].map(\.end) == [.finished])
    // The second stay began when it got the second slot; the wait for the first is still the request's.
    #expect(stays[1].map(\.occupant.entered) == [.seconds(20)])
    #expect(stays[1].map(\.occupant.admitted) == [.seconds(10)])
    #expect(stays[1].map(\.occupant.generatedTokenCount) == [2])
  }

  @Test func aHistoryIsBoundedAndToldFromATimeOn() {
    let table = SlotTable(slotCount: 1)
    for id in 0..<100 {
      submit(table, UInt64(id))
      stay(table, UInt64(id), slot: 0, from: 10 * id)
    }
    let all = table.stays(since: .zero)[0]
    #expect(all.map(\.occupant.request.rawValue) == Array(36..<100))
    #expect(table.stays(since: .seconds(982))[0].map(\.occupant.request.rawValue) == [98, 99])
    #expect(table.stays(since: .seconds(983))[0].map(\.occupant.request.rawValue) == [99])
    #expect(table.stays(since: .seconds(2000))[0].isEmpty)
  }

  @Test func whoEndsInTheQueueHeldNoSlot() {
    let table = SlotTable(slotCount: 1)
    submit(table, 1)
    table.record(.finished(RequestID(rawValue: 1), slot: nil, .cancelled, at: .seconds(1)))
    #expect(table.stays(since: .zero) == [[]])
  }
}
