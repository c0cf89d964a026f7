import Apus
import ApusEngine
import ApusKernels
import ApusModel
import ApusServer
import Synchronization

/// What `apus serve` says when it begins to serve: what, with what, and how to try it.
final class StartReport: Sendable {
  private struct State {
    var port: Int?
    var model: ServedModel?
  }

  private let host: String
  private let hasKeys: Bool
  private let state = Mutex(State())

  init(host: String, hasKeys: Bool) {
    self.host = host
    self.hasKeys = hasKeys
  }

  func listening(port: Int) { tell { $0.port = port } }

  func ready(_ model: ServedModel) { tell { $0.model = model } }

  /// Once both are known, in whichever order they come.
  private func tell(_ update: (inout State) -> Void) {
    let (port, model) = state.withLock { state in
      update(&state)
      return (state.port, state.model)
    }
    guard let port, let model else { return }
    try? StandardStreams.write(Self.text(model, host: host, port: port, hasKeys: hasKeys))
  }

  static func text(_ model: ServedModel, host: String, port: Int, hasKeys: Bool) -> String {
    let generator = model.generator
    let weights = generator.model.weights.byteCount
    let slotCount = generator.engine.metrics.slotCount
    let context = generator.model.context
    let address = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    let key = hasKeys ? " -H 'Authorization: Bearer YOUR-KEY'" : ""
    return """
      \(model.id): \(slotCount) slot\(slotCount == 1 ? "" : "s") of \(generator.contextLength) tokens
      memory: \(size(weights)) weights, up to \(size(generator.cacheByteCount)) keys and values \
      (\(generator.model.kvType.rawValue))
      \(context.threadCount) thread\(context.threadCount == 1 ? "" : "s"), \(context.instructionSet.rawValue)
      listening on \(address)

      curl \(address)/v1/completions\(key) -H 'Content-Type: application/json' \\
        -d '{"model": "\(model.id)", "prompt": "Tell me about the fox", "max_tokens": 64}'

      """
  }

  private static func size(_ bytes: Int) -> String {
    let megabytes = Double(bytes) / 1e6
    return megabytes < 1000
      ? "\((megabytes * 10).rounded() / 10) MB" : "\((megabytes / 100).rounded() / 10) GB"
  }
}
