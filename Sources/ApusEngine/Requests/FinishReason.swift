public import ApusModel

/// Why a request ended.
public enum FinishReason: Sendable, Equatable {
  /// The model produced a stop or end-of-sequence token: this one, the last token of the output.
  case stop(token: Int32)
  /// `maxTokens` were generated, or the context is full.
  case length
  /// The caller cancelled, dropped the stream, or its task was cancelled.
  case cancelled
  /// The engine was shut down, or let go of.
  case shutdown
  /// This request failed. Others go on.
  case failed(GenerationError)
}

/// What can go wrong with one request after it was admitted.
public enum GenerationError: Error, Sendable, Equatable {
  /// The logits for `position` hold NaN or +infinity, or nothing finite.
  case invalidLogits(request: RequestID, position: Int)
  /// The KV cache cannot hold the request even with no other running.
  case kvCache(request: RequestID, KVCacheError)
}

extension GenerationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidLogits(let request, let position):
      "\(request): the logits for position \(position) hold NaN or +infinity, or nothing finite"
    case .kvCache(let request, .outOfPages(_, let needed, let free)):
      "\(request): needs \(needed) KV pages, \(free) are free and nothing else is running"
    case .kvCache(let request, .beyondContext(_, let positions, let contextLength)):
      "\(request): needs \(positions) positions, the KV cache gives a sequence \(contextLength)"
    }
  }
}
