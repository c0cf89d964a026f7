/// Why a request was refused at submission. Nothing was queued.
public enum AdmissionError: Error, Sendable, Equatable {
  case emptyPrompt
  /// More prompt tokens than the model's context holds.
  case promptTooLong(tokens: Int, contextLength: Int)
  /// `field[index]` is not a token of the model.
  case tokenOutsideVocabulary(field: String, index: Int, token: Int32, vocabularySize: Int)
  /// A parameter outside its range.
  case invalidParameter(field: String, value: String, expected: String)
  /// At its full length the request needs more KV pages than there are.
  case needsTooManyPages(needed: Int, pageCount: Int)
  /// As many requests wait as the engine lets wait.
  case queueFull(limit: Int)
  /// The tokens of waiting requests would be more than the engine lets wait.
  case queueTokensFull(tokens: Int, waiting: Int, limit: Int)
  /// The request to fork is not known, or has ended.
  case unknownRequest(RequestID)
  /// The task that submitted it was cancelled before the running step let it in.
  case cancelled
  /// `Engine.drain()` was called.
  case draining
  /// `Engine.shutdown()` was called.
  case shutDown
}

extension AdmissionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .emptyPrompt:
      "promptTokens is empty, expected at least one token"
    case .promptTooLong(let tokens, let contextLength):
      "promptTokens has \(tokens) tokens, expected at most the context length \(contextLength)"
    case .tokenOutsideVocabulary(let field, let index, let token, let vocabularySize):
      "\(field)[\(index)] is \(token), expected a token id in 0..<\(vocabularySize)"
    case .invalidParameter(let field, let value, let expected):
      "\(field) is \(value), expected \(expected)"
    case .needsTooManyPages(let needed, let pageCount):
      "prompt and generated tokens need \(needed) KV pages, expected at most the pool's \(pageCount)"
    case .queueFull(let limit):
      "the queue is full: \(limit) requests wait"
    case .queueTokensFull(let tokens, let waiting, let limit):
      "the queue is full: \(waiting) tokens wait, \(tokens) more would exceed \(limit)"
    case .unknownRequest(let id):
      "\(id) is not known, or has ended"
    case .cancelled:
      "the submitting task was cancelled"
    case .draining:
      "the engine is draining and takes no new requests"
    case .shutDown:
      "the engine was shut down"
    }
  }
}
