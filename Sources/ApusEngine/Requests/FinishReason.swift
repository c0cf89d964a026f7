/// Why a request ended.
public enum FinishReason: Sendable, Equatable {
  /// The model produced a stop or end-of-sequence token: this one, the last token of the output.
  case stop(token: Int32)
  /// The request's `stopCondition` held after the last token of the output.
  case stopCondition
  /// The request's `constraint` lets nothing follow the last token of the output.
  case complete
  /// `maxTokens` were generated, or the context is full.
  case length
  /// The caller cancelled, dropped the stream, or its task was cancelled.
  case cancelled
  /// A time limit of the request passed.
  case timedOut(TimeLimit)
  /// Nobody read the stream for so long that the engine's limit of unread tokens was reached.
  case unread
  /// The engine was shut down, or let go of.
  case shutdown
  /// This request failed. Others go on.
  case failed(GenerationError)

  public enum TimeLimit: Sendable, Equatable {
    /// `queueTimeout`: before the first slot.
    case queue
    /// `timeout`.
    case total
  }

  /// The output is what was asked for: it was not cut off from outside.
  public var isNatural: Bool {
    switch self {
    case .stop, .stopCondition, .complete, .length: true
    case .cancelled, .timedOut, .unread, .shutdown, .failed: false
    }
  }
}

/// What can go wrong with one request after it was admitted.
public enum GenerationError: Error, Sendable, Equatable {
  /// The logits for `position` hold NaN or +infinity, or nothing finite.
  case invalidLogits(request: RequestID, position: Int)
  /// Constraint, allowed and suppressed tokens together leave no token for `position`.
  case nothingAllowed(request: RequestID, position: Int)
}

extension GenerationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidLogits(let request, let position):
      "\(request): the logits for position \(position) hold NaN or +infinity, or nothing finite"
    case .nothingAllowed(let request, let position):
      "\(request): constraint, allowed and suppressed tokens leave none for position \(position)"
    }
  }
}
