import ApusEngine
import Hummingbird

/// `POST /v1/completions`
struct CompletionRoutes: Sendable {
  let state: ServerState
  let limits: ServerLimits
  let keyCount: Int

  func add(to group: RouterGroup<ServerContext>) {
    group.add("v1/completions", .post) { request, context in try await complete(request, context) }
  }

  private func complete(_ request: Request, _ context: ServerContext) async throws -> Response {
    let model = try state.model()
    let completion = try CompletionRequest(try await request.fields(byteCountMax: limits.bodyByteCountMax))
    try model.check(name: completion.common.model)
    let connection = await context.connection()
    var job = GenerationJob(
      prompts: try await model.prompts(completion), fields: completion.common,
      tenant: context.tenant(user: completion.common.user, keyCount: keyCount))
    job.echoes = completion.echoes
    job.scoresOnly = completion.scoresOnly
    let choices = try await model.start(job, for: connection)
    let response = CompletionResponse(
      head: ResponseHead(prefix: "cmpl", model: model.id, fingerprint: model.fingerprint),
      logprobsOf: completion.common.sampling.logprobs == nil ? nil : model.tokenizer)
    guard !completion.common.isStreamed else {
      return Response(
        streaming: choices,
        encoder: CompletionChunks(response: response, tellsUsage: completion.common.includesUsage),
        includesUsage: completion.common.includesUsage, connection: connection,
        keepAliveInterval: limits.keepAliveInterval)
    }
    let (deltas, usage) = try await choices.collect(for: connection)
    return Response(
      json: response.whole(
        zip(choices, deltas).map { response.choice($1, index: $0.index) }, usage: usage))
  }
}

struct CompletionChunks: ChunkEncoder {
  let response: CompletionResponse
  let tellsUsage: Bool

  func opening() -> [JSONText] { [] }

  func chunks(_ delta: ChoiceDelta, of choice: Choice) -> [JSONText] {
    [response.chunk(delta, index: choice.index, tellsUsage: tellsUsage)]
  }

  func usage(_ usage: UsageSum) -> JSONText { response.usageChunk(usage) }
}

extension ServerContext {
  /// Whose request it is, for fair scheduling: the key's where there are several, else the user's that is
  /// named.
  func tenant(user: String, keyCount: Int) -> String {
    if keyCount > 1, let keyIndex { "key \(keyIndex)" } else { user }
  }
}
