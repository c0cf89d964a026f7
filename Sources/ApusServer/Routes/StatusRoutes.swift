import Apus
import ApusCheckpoint
import ApusEngine
import ApusObservability
import HTTPTypes
import Hummingbird
import NIOCore

/// How the server does. All of it is read from snapshots, so nothing here waits for a step of the engine.
struct StatusRoutes: Sendable {
  let state: ServerState
  let version: String

  /// For everybody: what balancers, schedulers of containers and Prometheus ask.
  func add(to group: RouterGroup<ServerContext>) {
    group.add("health", .get) { _, _ in Response(json: ["status": "ok"]) }
    group.add("ready", .get) { _, _ in
      let phase = state.phase
      return Response(
        json: ["status": .string(phase.rawValue)], status: phase == .ready ? .ok : .serviceUnavailable)
    }
    group.add("version", .get) { _, _ in
      Response(json: [
        "version": .string(version), "fingerprint": .optional(state.loadedModel?.fingerprint) { .string($0) },
      ])
    }
    group.add("metrics", .get) { _, _ in
      Response(
        status: .ok, headers: [.contentType: PrometheusText.contentType],
        body: ResponseBody(byteBuffer: ByteBuffer(string: state.loadedModel?.metricsText() ?? "")))
    }
  }

  /// For who may send requests.
  func addProtected(to group: RouterGroup<ServerContext>) {
    group.add("slots", .get) { request, _ in
      let model = try loadedModel()
      let past = try recentSeconds(request).map {
        SlotTable.Past(now: model.generator.engine.now, length: .seconds($0))
      }
      return Response(json: model.slots.json(contextLength: model.generator.contextLength, past: past))
    }
    group.add("load", .get) { _, _ in
      let metrics = try loadedModel().generator.engine.metrics
      return Response(json: [
        "server_load": .integer(metrics.requestsRunning + metrics.requestsWaiting),
        "running": .integer(metrics.requestsRunning), "waiting": .integer(metrics.requestsWaiting),
        "waiting_tokens": .integer(metrics.tokensWaiting),
        "kv_cache_usage": .double(metrics.kvCacheUsage),
        "generation_tokens_total": .integer(metrics.generationTokensTotal),
      ])
    }
  }

  /// `recent` of `/slots`: how far back it is to tell what slots held, in seconds.
  private func recentSeconds(_ request: Request) throws(APIError) -> Int? {
    guard let text = request.uri.queryParameters["recent"] else { return nil }
    guard let seconds = Int(text), (0...3600).contains(seconds) else {
      throw .invalid("recent", "recent is \(quoted(String(text))), expected seconds in 0...3600")
    }
    return seconds
  }

  /// Also while the server drains.
  private func loadedModel() throws(APIError) -> ServedModel {
    guard let model = state.loadedModel else { throw .loading }
    return model
  }
}
