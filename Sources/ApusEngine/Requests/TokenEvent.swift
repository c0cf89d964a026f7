/// What a request's stream delivers: tokens in order, then exactly one `finished`.
public enum TokenEvent: Sendable, Equatable {
  /// Of the prompt's tokens, before the first generated one, if `SamplingParameters.promptLogprobs` was set. Nil for
  /// the first, which nothing predicts, and where the model's logits were not valid.
  case promptLogprobs([TokenLogprobs?])
  case token(GeneratedToken)
  /// Always last.
  case finished(FinishReason, Usage)
}

/// One generated token.
public struct GeneratedToken: Sendable, Equatable {
  public var id: Int32
  /// Its position in the sequence; the first generated token's is the prompt's length.
  public var position: Int
  /// Present if `SamplingParameters.logprobs` was set.
  public var logprobs: TokenLogprobs?

  public init(id: Int32, position: Int, logprobs: TokenLogprobs? = nil) {
    self.id = id
    self.position = position
    self.logprobs = logprobs
  }
}

/// Natural logarithms of the model's own distribution, before temperature and filters.
public struct TokenLogprobs: Sendable, Equatable {
  public struct Alternative: Sendable, Equatable {
    public var id: Int32
    public var logprob: Float

    public init(id: Int32, logprob: Float) {
      self.id = id
      self.logprob = logprob
    }
  }

  /// The generated token's own.
  public var chosen: Float
  /// The most likely tokens, most likely first, equal ones by id. The generated token is among them only if
  /// it belongs there.
  public var top: [Alternative]

  public init(chosen: Float, top: [Alternative]) {
    self.chosen = chosen
    self.top = top
  }
}

/// What a request took.
public struct Usage: Sendable, Equatable {
  public var promptTokenCount: Int
  /// Generated tokens, a stop token included.
  public var completionTokenCount: Int
  /// Positions that were not computed, as pages of other requests held them.
  public var cachedTokenCount: Int
  /// How often the request lost its pages to others and was computed again.
  public var preemptionCount: Int
  /// The seed that was used: the caller's, or the one drawn at submission. Running the same request with it
  /// gives the same tokens.
  public var seed: UInt64
  public var timing: RequestTiming

  public init(
    promptTokenCount: Int, completionTokenCount: Int, cachedTokenCount: Int = 0, preemptionCount: Int = 0,
    seed: UInt64, timing: RequestTiming
  ) {
    self.promptTokenCount = promptTokenCount
    self.completionTokenCount = completionTokenCount
    self.cachedTokenCount = cachedTokenCount
    self.preemptionCount = preemptionCount
    self.seed = seed
    self.timing = timing
  }
}

/// When things happened to a request, on the engine's clock.
public struct RequestTiming: Sendable, Equatable {
  /// `generate` was called.
  public var queued: Duration
  /// A slot was given. Nil if the request ended in the queue.
  public var admitted: Duration?
  public var firstToken: Duration?
  public var finished: Duration?

  public init(
    queued: Duration, admitted: Duration? = nil, firstToken: Duration? = nil, finished: Duration? = nil
  ) {
    self.queued = queued
    self.admitted = admitted
    self.firstToken = firstToken
    self.finished = finished
  }

  /// From `generate` to the slot.
  public var queueTime: Duration? { admitted.map { $0 - queued } }
  /// From `generate` to the first token.
  public var timeToFirstToken: Duration? { firstToken.map { $0 - queued } }
  /// From `generate` to the end.
  public var latency: Duration? { finished.map { $0 - queued } }
}
