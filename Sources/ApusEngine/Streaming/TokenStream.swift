/// One request's events: tokens, then `.finished`, always last.
///
/// For one reader. To stop reading is to cancel: when the stream, or its iterator, is let go of, or the
/// reading task is cancelled, the request ends and its slot is free within a step. A cancelled task still
/// gets `.finished`.
public struct TokenStream: AsyncSequence, Sendable {
  public typealias Element = TokenEvent
  public typealias Failure = Never

  /// Cancels when the last copy of the stream goes. An iterator keeps it alive.
  private final class Owner: Sendable {
    let channel: TokenChannel

    init(channel: TokenChannel) { self.channel = channel }

    deinit { channel.cancel() }
  }

  public let id: RequestID
  /// The seed of the request's randomness: the caller's, or the one drawn at submission.
  public let seed: UInt64
  private let owner: Owner

  package init(channel: TokenChannel, seed: UInt64) {
    id = channel.id
    self.seed = seed
    owner = Owner(channel: channel)
  }

  public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

  public final class Iterator: AsyncIteratorProtocol {
    private let stream: TokenStream

    fileprivate init(stream: TokenStream) { self.stream = stream }

    deinit { stream.owner.channel.cancel() }

    public func next() async -> TokenEvent? { await next(isolation: nil) }

    public func next(isolation actor: isolated (any Actor)?) async -> TokenEvent? {
      await stream.owner.channel.next(isolation: actor)
    }
  }

  /// Reads to the end. The reader is woken once, not for each token: it takes less from the steps than a loop.
  public func collect() async -> GenerationResult {
    var tokens: [GeneratedToken] = []
    var promptLogprobs: [TokenLogprobs?]?
    let events = await owner.channel.rest()
    withExtendedLifetime(owner) {}  // until here: letting go of it would cancel
    for event in events {
      switch event {
      case .promptLogprobs(let logprobs): promptLogprobs = logprobs
      case .token(let token): tokens.append(token)
      case .finished(let reason, let usage):
        return GenerationResult(
          tokens: tokens, promptLogprobs: promptLogprobs, finishReason: reason, usage: usage)
      }
    }
    preconditionFailure("\(id) was read before, or by another reader")
  }
}

/// All that a request gave.
public struct GenerationResult: Sendable, Equatable {
  public var tokens: [GeneratedToken]
  /// Of the prompt's tokens, if asked for: see `TokenEvent.promptLogprobs`.
  public var promptLogprobs: [TokenLogprobs?]?
  public var finishReason: FinishReason
  public var usage: Usage

  public init(
    tokens: [GeneratedToken], promptLogprobs: [TokenLogprobs?]? = nil, finishReason: FinishReason,
    usage: Usage
  ) {
    self.tokens = tokens
    self.promptLogprobs = promptLogprobs
    self.finishReason = finishReason
    self.usage = usage
  }

  public var tokenIDs: [Int32] { tokens.map(\.id) }
}
