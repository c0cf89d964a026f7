import Apus
import ApusTokenizer
import Hummingbird

/// `POST /tokenize`, `POST /detokenize`, in vLLM's shapes.
struct TokenizeRoutes: Sendable {
  let state: ServerState
  let limits: ServerLimits

  func add(to group: RouterGroup<ServerContext>) {
    group.add("tokenize", .post) { request, _ in try await tokenize(request) }
    group.add("detokenize", .post) { request, _ in try await detokenize(request) }
  }

  private func tokenize(_ request: Request) async throws -> Response {
    let model = try state.model()
    let fields = try TokenizeRequest(try await request.fields(byteCountMax: limits.bodyByteCountMax))
    try model.check(name: fields.model)
    let tokens: [Int32]
    switch fields.input {
    case .text(let text):
      tokens = try await model.encode(text, addSpecialTokens: fields.addsSpecialTokens ?? true)
    case .conversation(let conversation):
      tokens = try await model.prompt(conversation, addsSpecialTokens: fields.addsSpecialTokens).tokens
    }
    let texts: JSONText =
      fields.returnsTokenTexts ? .array(tokens.map { .string(model.tokenizer.token(for: $0) ?? "") }) : .null
    return Response(json: [
      "count": .integer(tokens.count), "max_model_len": .integer(model.generator.contextLength),
      "tokens": .ids(tokens), "token_strs": texts,
    ])
  }

  private func detokenize(_ request: Request) async throws -> Response {
    let model = try state.model()
    let fields = try DetokenizeRequest(try await request.fields(byteCountMax: limits.bodyByteCountMax))
    try model.check(name: fields.model)
    do {
      return Response(json: ["prompt": .string(try model.tokenizer.decode(fields.tokens))])
    } catch { throw APIError.invalid("tokens", "\(error)") }
  }
}
