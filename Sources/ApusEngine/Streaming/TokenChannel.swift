import Synchronization

/// Carries one request's events from the engine's thread to its reader. Sending never waits: the buffer
/// grows to the request's tokens at most, so a slow reader holds up nobody.
package final class TokenChannel: Sendable {
  private struct State {
    var buffer: [TokenEvent] = []
    var head = 0
    var readers: [CheckedContinuation<TokenEvent?, Never>] = []
    var isFinished = false
    var isCancelled = false

    mutating func pop() -> TokenEvent? {
      guard head < buffer.count else { return nil }
      defer {
        head += 1
        if head == buffer.count {
          buffer.removeAll(keepingCapacity: true)
          head = 0
        }
      }
      return buffer[head]
    }
  }

  package let id: RequestID
  private let cancellations: CancellationBox
  private let state = Mutex(State())

  package init(id: RequestID, cancellations: CancellationBox) {
    self.id = id
    self.cancellations = cancellations
  }

  /// Delivers `event`. Nothing may follow `.finished`.
  package func send(_ event: TokenEvent) {
    let readers = state.withLock { state in
      precondition(!state.isFinished, "\(id) ended twice")
      if case .finished = event { state.isFinished = true }
      if state.readers.isEmpty {
        state.buffer.append(event)
        return [CheckedContinuation<TokenEvent?, Never>]()
      }
      // The first reader gets it; after the end the others get nil.
      let served = state.isFinished ? state.readers.count : 1
      defer { state.readers.removeFirst(served) }
      return Array(state.readers.prefix(served))
    }
    for (index, reader) in readers.enumerated() { reader.resume(returning: index == 0 ? event : nil) }
  }

  /// The next event; nil after `.finished`. Cancelling the task cancels the request, whose `.finished` then
  /// arrives within a step.
  package func next(isolation actor: isolated (any Actor)?) async -> TokenEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { reader in
        let event: TokenEvent?? = state.withLock { state in
          if let event = state.pop() { return .some(event) }
          if state.isFinished { return .some(nil) }
          state.readers.append(reader)
          return .none
        }
        if let event { reader.resume(returning: event) }
      }
    } onCancel: {
      cancel()
    }
  }

  /// Asks the engine to end the request. Once it has ended this does nothing.
  package func cancel() {
    let isFirst = state.withLock { state in
      defer { state.isCancelled = true }
      return !state.isFinished && !state.isCancelled
    }
    if isFirst { cancellations.post(id) }
  }
}
