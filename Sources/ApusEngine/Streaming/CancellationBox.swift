import Synchronization

/// Where streams, on any thread, leave the requests that nobody reads any more, for the engine to find
/// before its next step.
package final class CancellationBox: Sendable {
  private let requests = Mutex<[RequestID]>([])

  package init() {}

  package func post(_ id: RequestID) { requests.withLock { $0.append(id) } }

  /// Empties the box.
  package func take() -> [RequestID] {
    requests.withLock { requests in
      if requests.isEmpty { return [] }
      defer { requests = [] }
      return requests
    }
  }
}
