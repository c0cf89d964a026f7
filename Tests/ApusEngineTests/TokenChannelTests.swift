import ApusEngine
import Synchronization
import Testing

@Suite struct TokenChannelTests {
  private final class Reader: Sendable {
    let isAwake = Mutex(false)
  }

  private let cancellations = CancellationBox()

  private func channel() -> TokenChannel {
    TokenChannel(id: RequestID(rawValue: 7), cancellations: cancellations)
  }

  private func token(_ id: Int32) -> TokenEvent { .token(GeneratedToken(id: id, position: Int(id))) }

  private let end = TokenEvent.finished(
    .length,
    Usage(
      promptTokenCount: 1, completionTokenCount: 3, seed: 0, timing: RequestTiming(queued: .zero)))

  @Test func givesTheRestAfterWhatWasReadAndNothingTwice() async {
    let channel = channel()
    for id in 1...3 { channel.send(token(Int32(id))) }
    channel.send(end)
    #expect(await channel.next(isolation: nil) == token(1))
    #expect(await channel.rest() == [token(2), token(3), end])
    #expect(await channel.rest().isEmpty)
    #expect(await channel.next(isolation: nil) == nil)
  }

  @Test func wakesAReaderOfTheRestAtTheEndOnly() async {
    let channel = channel()
    let reader = Reader()
    let rest = Task {
      let events = await channel.rest()
      reader.isAwake.withLock { $0 = true }
      return events
    }
    for id in 1...3 {
      channel.send(token(Int32(id)))
      for _ in 0..<20 { await Task.yield() }
      #expect(!reader.isAwake.withLock { $0 })
    }
    channel.send(end)
    #expect(await rest.value == [token(1), token(2), token(3), end])
  }

  @Test func cancellingAReaderOfTheRestAsksForTheEndOnce() async {
    let channel = channel()
    let reader = Task { await channel.rest() }
    reader.cancel()
    channel.cancel()
    while true {
      let posted = cancellations.take()
      if posted.isEmpty {
        await Task.yield()
        continue
      }
      #expect(posted == [channel.id])
      break
    }
    channel.send(end)
    #expect(await reader.value == [end])
    #expect(cancellations.take().isEmpty)
  }
}
