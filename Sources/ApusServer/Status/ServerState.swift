import Synchronization

/// Whether requests are taken. Goes one way: loading, ready, draining.
final class ServerState: Sendable {
  enum Phase: String, Sendable {
    case loading, ready, draining
  }

  private struct State {
    var phase = Phase.loading
    var model: ServedModel?
  }

  private let state = Mutex(State())

  init() {}

  var phase: Phase { state.withLock { $0.phase } }

  /// The model, also while the server drains; nil until it is loaded.
  var loadedModel: ServedModel? { state.withLock { $0.model } }

  /// The model for a new request.
  /// - Throws: a 503 while there is none.
  func model() throws(APIError) -> ServedModel {
    let (phase, model) = state.withLock { ($0.phase, $0.model) }
    guard phase != .draining else { throw .draining }
    guard let model else { throw .loading }
    return model
  }

  /// False: the server drains already, and does not begin to serve.
  func becomeReady(_ model: ServedModel) -> Bool {
    state.withLock { state in
      guard state.phase == .loading else { return false }
      state.phase = .ready
      state.model = model
      return true
    }
  }

  func drain() { state.withLock { $0.phase = .draining } }
}
