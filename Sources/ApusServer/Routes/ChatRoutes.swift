import Hummingbird

/// `POST /v1/chat/completions`
struct ChatRoutes: Sendable {
  let state: ServerState
  let limits: ServerLimits
  let keyCount: Int

  func add(to group: RouterGroup<ServerContext>) {
    group.add("v1/chat/completions", .post) { request, context in try await complete(request, context) }
  }

  private func complete(_ request: Request, _ context: ServerContext) async throws -> Response {
    let model = try state.model()
    let chat = try ChatRequest(try await request.fields(byteCountMax: limits.bodyByteCountMax))
    try model.check(name: chat.common.model)
    let connection = await context.connection()
    let prompt = try await model.prompt(chat.conversation)
    let choices = try await model.start(
      GenerationJob(
        prompts: [prompt], fields: chat.common,
        tenant: context.tenant(user: chat.common.user, keyCount: keyCount)),
      for: connection)
    let response = ChatResponse(
      head: ResponseHead(prefix: "chatcmpl", model: model.id, fingerprint: model.fingerprint),
      logprobsOf: chat.wantsLogprobs ? model.tokenizer : nil)
    let output = ChatOutput(
      chat.outputMode(model.chatRenderer.toolCallFormat),
      callCountMax: chat.allowsParallelCalls ? .max : 1)
    guard !chat.common.isStreamed else {
      return Response(
        streaming: choices,
        encoder: ChatChunks(
          response: response, tellsUsage: chat.common.includesUsage,
          outputs: Array(repeating: output, count: choices.count)),
        includesUsage: chat.common.includesUsage, connection: connection,
        keepAliveInterval: limits.keepAliveInterval)
    }
    let (deltas, usage) = try await choices.collect(for: connection)
    let answers = zip(choices, deltas).map { choice, delta in
      var output = output
      return response.choice(output.append(delta), index: choice.index)
    }
    return Response(json: response.whole(answers, usage: usage))
  }
}

extension ChatRequest {
  func outputMode(_ format: ToolCallFormat?) -> ChatOutputMode {
    switch toolChoice {
    case .none: .content
    case .auto: format.map { .parsed($0) } ?? .content
    case .required: .calls
    case .function(let name): .arguments(name: name)
    }
  }
}

struct ChatChunks: ChunkEncoder {
  let response: ChatResponse
  let tellsUsage: Bool
  var outputs: [ChatOutput]

  func opening() -> [JSONText] {
    outputs.indices.map { response.roleChunk(index: $0, tellsUsage: tellsUsage) }
  }

  mutating func chunks(_ delta: ChoiceDelta, of choice: Choice) -> [JSONText] {
    let delta = outputs[choice.index].append(delta)
    guard !delta.isEmpty else { return [] }
    return [response.chunk(delta, index: choice.index, tellsUsage: tellsUsage)]
  }

  func usage(_ usage: UsageSum) -> JSONText { response.usageChunk(usage) }
}
