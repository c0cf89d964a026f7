import ApusServer
import Foundation

/// Where a load goes: a server and one of the two endpoints that give text.
struct CompletionEndpoint: Sendable, Equatable {
  enum Kind: String, Sendable {
    case completions, chat

    var path: String { self == .chat ? "/v1/chat/completions" : "/v1/completions" }
  }

  let host: String
  let port: Int
  let path: String
  let kind: Kind
  var model: String
  var apiKey: String?
  var temperature = 0.0
  var ignoresEOS = false

  /// - Parameter baseURL: with or without "/v1" at its end.
  init(baseURL: String, kind: Kind, model: String, apiKey: String?) throws(CommandFailure) {
    let problem = CommandFailure("--base-url is \(baseURL); expected http://HOST:PORT, without TLS")
    guard let url = URLComponents(string: baseURL), url.scheme == "http", let host = url.host, !host.isEmpty,
      url.query == nil, url.fragment == nil, url.user == nil, (1...65535).contains(url.port ?? 80)
    else { throw problem }
    self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    port = url.port ?? 80
    var prefix = url.percentEncodedPath
    while prefix.hasSuffix("/") { prefix.removeLast() }
    if prefix.hasSuffix("/v1") { prefix.removeLast(3) }
    path = prefix + kind.path
    self.kind = kind
    self.model = model
    if let apiKey, apiKey.utf8.contains(where: { $0 < 0x21 || $0 > 0x7E }) {
      throw CommandFailure("--api-key has characters that no header may have; expected visible ASCII")
    }
    self.apiKey = apiKey
  }

  /// The body of a request that is answered by a stream and its usage.
  func body(_ request: LoadRequest) -> JSONText {
    var members = [JSONText.Member(name: "model", value: .string(model))]
    switch (kind, request.prompt) {
    case (.completions, .text(let text)):
      members.append(JSONText.Member(name: "prompt", value: .string(text)))
    case (.completions, .ids(let ids)): members.append(JSONText.Member(name: "prompt", value: .ids(ids)))
    case (.chat, .text(let text)):
      members.append(
        JSONText.Member(
          name: "messages", value: .array([["role": "user", "content": .string(text)]])))
    case (.chat, .ids): preconditionFailure("a chat takes no token ids: refused when the load was made")
    }
    members += [
      JSONText.Member(
        name: kind == .chat ? "max_completion_tokens" : "max_tokens", value: .integer(request.maxTokens)),
      JSONText.Member(name: "temperature", value: .double(temperature)),
      JSONText.Member(name: "stream", value: .boolean(true)),
      JSONText.Member(name: "stream_options", value: ["include_usage": .boolean(true)]),
    ]
    if ignoresEOS { members.append(JSONText.Member(name: "ignore_eos", value: .boolean(true))) }
    return .object(members)
  }
}
