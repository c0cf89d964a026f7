import Testing

@testable import ApusServer

/// Times are seconds since the connection was opened.
@Suite struct ConnectionStateTests {
  private static let limits = ServerLimits(
    headTimeout: .seconds(10), bodyTimeout: .seconds(30), idleTimeout: .seconds(75),
    writeTimeout: .seconds(20))

  private func state() -> ConnectionState { ConnectionState(limits: Self.limits, now: .zero) }

  @Test func aConnectionWithoutARequestIsClosedInSilence() {
    var state = state()
    #expect(state.deadline == .seconds(75))
    #expect(state.expire(at: .seconds(74)) == .none)
    #expect(state.expire(at: .seconds(75)) == .close)
  }

  @Test func aHeadHasItsTimeFromTheFirstByteHoweverOftenMoreCome() {
    var state = state()
    state.bytesRead(at: .seconds(5))
    for second in 6..<15 { state.bytesRead(at: .seconds(second)) }
    #expect(state.deadline == .seconds(15))
    #expect(state.expire(at: .seconds(15)) == .timeOut)
  }

  @Test func aBodyHasItsTimeFromTheEndOfTheHead() {
    var state = state()
    state.bytesRead(at: .zero)
    state.headRead(at: .seconds(2))
    state.bytesRead(at: .seconds(20))
    #expect(state.deadline == .seconds(32))
    #expect(state.expire(at: .seconds(32)) == .timeOut)
  }

  @Test func aRequestThatWasReadMayTakeAnyTime() {
    var state = state()
    state.bytesRead(at: .zero)
    state.headRead(at: .zero)
    state.endRead(at: .zero)
    #expect(state.deadline == nil)
    #expect(state.expire(at: .seconds(100_000)) == .none)
    #expect(!state.canRefuse)
    let mustClose = state.answerEnded(at: .seconds(100))
    #expect(!mustClose)
    #expect(state.deadline == .seconds(175))
    #expect(state.canRefuse)
  }

  @Test func anAnswerBeforeTheEndOfTheRequestClosesTheConnection() {
    var state = state()
    state.bytesRead(at: .zero)
    state.headRead(at: .zero)
    #expect(state.isUnread)
    state.answerBegun()
    // The body's time ends in the middle of the answer: no other may be written.
    var late = state
    #expect(late.expire(at: .seconds(30)) == .close)
    let mustClose = state.answerEnded(at: .seconds(1))
    #expect(mustClose)
    #expect(state.dropsInput)
    #expect(state.expire(at: .seconds(3)) == .close)
  }

  @Test func whoDoesNotReadIsClosed() {
    var state = state()
    state.bytesRead(at: .zero)
    state.headRead(at: .zero)
    state.endRead(at: .zero)
    state.writabilityChanged(false, at: .seconds(1))
    state.writabilityChanged(false, at: .seconds(9))
    #expect(state.deadline == .seconds(21))
    var reader = state
    reader.writabilityChanged(true, at: .seconds(10))
    #expect(reader.expire(at: .seconds(21)) == .none)
    #expect(state.expire(at: .seconds(21)) == .close)
  }
}
