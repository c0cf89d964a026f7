import Synchronization

/// Carries one request's events from the engine's thread to its reader. Sending never waits: the buffer
/// grows to the request's tokens at most, so a slow reader holds up nobody; the engine may end it before.
package final class TokenChannel: Sendable {
  /// Who waits: for the next event, or for all up to the end. A wake-up takes a processor from the step that
  /// runs, so who wants no token by itself is woken once.
  private enum Reader {
    case next(CheckedContinuation<TokenEvent?, Never>)
    case rest(CheckedContinuation<[TokenEvent], Never>)
  }

  /// A reader and what it gets, once the lock is free.
  private enum Delivery {
    case next(CheckedContinuation<TokenEvent?, Never>, TokenEvent?)
    case rest(CheckedContinuation<[TokenEvent], Never>, [TokenEvent])

    func run() {
      switch self {
      case .next(let reader, let event): reader.resume(returning: event)
      case .rest(let reader, let events): reader.resume(returning: events)
      }
    }
  }

  private struct State {
    private var buffer: [TokenEvent] = []
    private var head = 0
    private var readers: [Reader] = []
    private(set) var isFinished = false
    var isCancelled = false

    mutating func append(_ event: TokenEvent) {
      buffer.append(event)
      if case .finished = event { isFinished = true }
    }

    var unreadCount: Int { readers.isEmpty ? buffer.count - head : 0 }

    /// Events in memory, read ones that were not let go of yet among them.
    var storedCount: Int { buffer.count }

    mutating func append(_ reader: Reader) { readers.append(reader) }

    /// What the readers, in their order, can be given. After the end all can.
    mutating func takeDeliveries() -> [Delivery] {
      var deliveries: [Delivery] = []
      while let reader = readers.first, isFinished || canServe(reader) {
        readers.removeFirst()
        switch reader {
        case .next(let reader): deliveries.append(.next(reader, pop()))
        case .rest(let reader): deliveries.append(.rest(reader, popAll()))
        }
      }
      return deliveries
    }

    private func canServe(_ reader: Reader) -> Bool {
      switch reader {
      case .next: head < buffer.count
      case .rest: false
      }
    }

    private mutating func pop() -> TokenEvent? {
      guard head < buffer.count else { return nil }
      defer {
        head += 1
        // A reader who never quite catches up must not leave all that it has read behind.
        if head * 2 >= buffer.count {
          buffer.removeFirst(head)
          head = 0
        }
      }
      return buffer[head]
    }

    private mutating func popAll() -> [TokenEvent] {
      defer {
        buffer = []
        head = 0
      }
      return head == 0 ? buffer : Array(buffer[head...])
    }
  }

  package let id: RequestID
  private let cancellations: CancellationBox
  private let state = Mutex(State())

  package init(id: RequestID, cancellations: CancellationBox) {
    self.id = id
    self.cancellations = cancellations
  }

  /// Delivers `event`. Nothing may follow `.finished`. Returns the events that nobody waits for: a reader who wants
  /// all at the end has read none and waits for them.
  @discardableResult
  package func send(_ event: TokenEvent) -> Int {
    let (deliveries, unread) = state.withLock { state in
      precondition(!state.isFinished, "\(id) ended twice")
      state.append(event)
      let deliveries = state.takeDeliveries()
      return (deliveries, state.unreadCount)
    }
    for delivery in deliveries { delivery.run() }
    return unread
  }

  /// The next event; nil after `.finished`. Cancelling the task cancels the request, whose `.finished` then
  /// arrives within a step.
  package func next(isolation actor: isolated (any Actor)?) async -> TokenEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { receive(.next($0)) }
    } onCancel: {
      cancel()
    }
  }

  /// All events that are left, `.finished` included, once it is there; empty after it. Cancelling as in `next`.
  package func rest() async -> [TokenEvent] {
    await withTaskCancellationHandler {
      await withCheckedContinuation { receive(.rest($0)) }
    } onCancel: {
      cancel()
    }
  }

  /// Events that the channel holds memory for: at most twice those that are unread.
  package var storedCount: Int { state.withLock { $0.storedCount } }

  private func receive(_ reader: Reader) {
    let deliveries = state.withLock { state in
      state.append(reader)
      return state.takeDeliveries()
    }
    for delivery in deliveries { delivery.run() }
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
