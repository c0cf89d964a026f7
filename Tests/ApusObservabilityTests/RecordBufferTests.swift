import ApusEngine
import Testing

@testable import ApusObservability

struct RecordBufferTests {
  private func token(_ request: UInt64) -> BufferedRecord {
    BufferedRecord(
      event: .token(RequestID(rawValue: request), slot: 0, GeneratedToken(id: 1, position: 1), at: .zero))
  }

  private func arrival(tokens: Int) -> BufferedRecord {
    BufferedRecord(
      event: .submitted(
        RequestArrival(id: RequestID(rawValue: 0), promptTokens: Array(repeating: 1, count: tokens)),
        at: .zero))
  }

  @Test func tokensLeaveTheLastQuarterToArrivalsAndEnds() {
    var buffer = RecordBuffer(limits: .init(countMax: 8, byteCountMax: 1 << 20))
    let tokens = (0..<8).map { buffer.append(token($0)) }
    #expect(tokens == [true, true, true, true, true, true, false, false])
    let arrivals = (0..<3).map { _ in buffer.append(arrival(tokens: 1)) }
    #expect(arrivals == [true, true, false])
    #expect(buffer.droppedCount == 3)
  }

  @Test func longPromptsAreBoundedByTheirBytes() {
    var buffer = RecordBuffer(limits: .init(countMax: 1000, byteCountMax: 4000))
    let first = buffer.append(arrival(tokens: 400))
    #expect(first && buffer.isHalfFull)
    let others = [600, 100].map { buffer.append(arrival(tokens: $0)) }
    #expect(others == [false, true])
  }

  @Test func takingEmptiesItAndTellsWhatWasDropped() {
    var buffer = RecordBuffer(limits: .init(countMax: 4, byteCountMax: 1 << 20))
    for index in 0..<5 { buffer.append(token(UInt64(index))) }
    var batch = [token(9)]
    let dropped = buffer.take(into: &batch)
    #expect(dropped == 2 && batch.count == 3 && buffer.isEmpty && buffer.droppedCount == 0)
    buffer.append(token(1))
    let droppedLater = buffer.take(into: &batch)
    #expect(droppedLater == 0 && batch.count == 1)
  }
}
