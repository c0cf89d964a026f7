import AsyncAlgorithms
import ApusEngine

/// Reads the streams of several choices and hands what they give, in the order in which it comes, to one
/// reader, who is also woken when time has passed in which nothing came. Nothing is taken from a stream
/// before the reader has what was taken before: who does not read leaves tokens with the engine, which bounds
/// them.
struct ChoiceEvents: Sendable {
  enum Event: Sendable {
    case delta(ChoiceDelta, of: Choice)
    case tick
  }

  let channel = AsyncChannel<Event>()
  private let task: Task<Void, Never>

  /// - Parameter tick: time between wake-ups.
  init(_ choices: [Choice], tick: Duration) {
    let channel = channel
    task = Task {
      await withTaskGroup(of: Bool.self) { group in
        for choice in choices {
          group.addTask {
            await Self.read(choice, into: channel)
            return true
          }
        }
        group.addTask {
          while (try? await Task.sleep(for: tick)) != nil { await channel.send(.tick) }
          return false
        }
        var openCount = choices.count
        while openCount > 0, let isChoice = await group.next() {
          if isChoice { openCount -= 1 }
        }
        group.cancelAll()
      }
      channel.finish()
    }
  }

  private static func read(_ choice: Choice, into channel: AsyncChannel<Event>) async {
    var text = choice.text
    for await event in choice.stream {
      let delta = text.append(event)
      if !delta.isEmpty { await channel.send(.delta(delta, of: choice)) }
    }
  }

  /// Ends the choices, within a step of the engine, and the reader's loop at once.
  func cancel() {
    task.cancel()
    channel.finish()
  }
}
