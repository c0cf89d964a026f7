import Synchronization

/// Tells those who work for a client that it has gone.
///
/// A client that closes its side for sending counts as gone: that it still reads cannot be told from that it
/// does not, and most that close have gone.
final class ClientConnection: Sendable {
  private struct State {
    var isClosed = false
    var nextID = 0
    var observers: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  init() {}

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Calls `observer` once, when the client goes, or at once if it has gone. Returns what `removeObserver`
  /// takes.
  func onClose(_ observer: @escaping @Sendable () -> Void) -> Int? {
    let id: Int? = state.withLock { state in
      guard !state.isClosed else { return nil }
      state.nextID += 1
      state.observers[state.nextID] = observer
      return state.nextID
    }
    if id == nil { observer() }
    return id
  }

  func removeObserver(_ id: Int?) {
    guard let id else { return }
    _ = state.withLock { $0.observers.removeValue(forKey: id) }
  }

  func close() {
    let observers = state.withLock { state in
      state.isClosed = true
      defer { state.observers = [:] }
      return Array(state.observers.values)
    }
    for observer in observers { observer() }
  }
}

extension ClientConnection {
  /// Runs `operation`, in a task that is cancelled when the client goes or the caller's task is cancelled.
  func whileOpen<Value: Sendable>(_ operation: @escaping @Sendable () async -> Value) async -> Value {
    let task = Task { await operation() }
    let observer = onClose { task.cancel() }
    defer { removeObserver(observer) }
    return await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }
}
