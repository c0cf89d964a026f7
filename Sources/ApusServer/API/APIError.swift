import ApusEngine

/// What a client is told when its request cannot be served: OpenAI's error object and the status it comes
/// with.
///
/// A 4xx means that the same request will be refused again, but for 429; a 5xx that it may be tried elsewhere
/// or later.
public struct APIError: Error, Sendable, Equatable {
  /// HTTP status.
  public var status: Int
  public var message: String
  /// OpenAI's kind of error.
  public var type: String
  /// The field at fault.
  public var param: String?
  /// What programs tell errors apart by.
  public var code: String?
  /// Seconds after which trying again makes sense.
  public var retryAfter: Int?

  public init(
    status: Int, message: String, type: String = "invalid_request_error", param: String? = nil,
    code: String? = nil, retryAfter: Int? = nil
  ) {
    self.status = status
    self.message = message
    self.type = type
    self.param = param
    self.code = code
    self.retryAfter = retryAfter
  }

  /// 400: the field cannot be served with that value.
  static func invalid(_ param: String?, _ message: String, code: String? = nil) -> APIError {
    APIError(status: 400, message: message, param: param, code: code)
  }

  /// 503: not now, and not because of the request.
  static func unavailable(_ message: String, code: String, retryAfter: Int? = 1) -> APIError {
    APIError(status: 503, message: message, type: "server_error", code: code, retryAfter: retryAfter)
  }

  /// The client has gone: nobody reads this.
  static let clientGone = APIError(status: 499, message: "the client closed the connection", code: "gone")

  var json: JSONText {
    [
      "error": [
        "message": .string(message), "type": .string(type), "param": .optional(param) { .string($0) },
        "code": .optional(code) { .string($0) },
      ]
    ]
  }
}

extension APIError {
  /// Why the engine took no request.
  /// - Parameter retryAfter: seconds until the queue may have room.
  init(_ error: AdmissionError, retryAfter: Int) {
    switch error {
    case .emptyPrompt:
      self = .invalid("prompt", "the prompt has no tokens, expected at least one")
    case .promptTooLong(let tokens, let contextLength):
      self = .invalid(
        "prompt", "the prompt has \(tokens) tokens, expected at most the context length \(contextLength)",
        code: "context_length_exceeded")
    case .tokenOutsideVocabulary(let field, let index, let token, let size):
      let param = field == "promptTokens" ? "prompt" : field.asSnakeCase
      self = .invalid(param, "\(param)[\(index)] is \(token), expected a token id in 0..<\(size)")
    case .invalidParameter(let field, let value, let expected):
      let param = field == "count" ? "n" : field.asSnakeCase
      self = .invalid(param, "\(param) is \(value), expected \(expected)")
    case .needsTooManyPages:
      self = .invalid("max_tokens", error.description, code: "context_length_exceeded")
    case .queueFull, .queueTokensFull:
      self = APIError(
        status: 429, message: error.description, type: "rate_limit_error", code: "queue_full",
        retryAfter: retryAfter)
    case .cancelled: self = .clientGone
    case .draining, .shutDown: self = .draining
    case .unknownRequest: self = APIError(status: 500, message: error.description, type: "server_error")
    }
  }

  static let draining = unavailable("the server is shutting down", code: "draining")
  static let loading = unavailable("the model is still loading", code: "loading", retryAfter: 5)

  /// Why an answer cannot be given whole; nil where the reason is a natural end.
  init?(_ reason: FinishReason) {
    switch reason {
    case .stop, .stopCondition, .complete, .length: return nil
    case .cancelled, .unread: self = .clientGone
    case .timedOut(.queue):
      self = .unavailable("the request waited too long for a slot", code: "queue_timeout", retryAfter: 5)
    case .timedOut(.total):
      self = APIError(
        status: 504, message: "the request took too long", type: "server_error", code: "request_timeout")
    case .shutdown: self = .draining
    case .failed(let error):
      self = APIError(
        status: 500, message: error.description, type: "server_error", code: "generation_failed")
    }
  }
}

extension String {
  /// "stopTokenIDs" as "stop_token_ids".
  package var asSnakeCase: String {
    var words = ""
    var previousIsLowercase = false
    for character in self {
      if character.isUppercase, previousIsLowercase { words += "_" }
      words += character.lowercased()
      previousIsLowercase = character.isLowercase
    }
    return words
  }
}
