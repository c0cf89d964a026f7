public import ApusEngine

/// Runs a recorded request again and compares it with what was recorded, token by token.
///
/// What can be compared depends on what the request's answer depended on:
/// - Nothing but model, parameters and seed: all, its end included.
/// - A stop condition, a caller, a time limit, a shutdown ended it: its tokens, up to the recorded number.
/// - It was forked: the tokens its origin had generated are given, the others compared.
/// - A constraint: its tokens are given, and the logprobs compared, if it came with some.
public struct RequestReplay: Sendable {
  public let request: RecordedRequest

  public init(_ request: RecordedRequest) { self.request = request }

  /// What to submit; nil and why, if it cannot be run again.
  func generationRequest() -> (request: GenerationRequest?, obstacle: String) {
    let arrival = request.arrival
    var sampling = arrival.sampling
    sampling.seed = arrival.seed
    // They are not recorded.
    sampling.promptLogprobs = nil
    var generation = GenerationRequest(promptTokens: arrival.promptTokens, sampling: sampling)
    var given = arrival.generatedTokens
    if arrival.hasConstraint {
      guard sampling.logprobs != nil else { return (nil, "under a constraint, and without logprobs") }
      guard let tokens = request.allTokens else {
        return (nil, "under a constraint, and tokens were dropped")
      }
      given += tokens
    }
    if !given.isEmpty { generation.constraint = RecordedTokens(given) }
    return (generation, "")
  }

  /// Runs the request on an engine without other work, and without a prefix cache, if it is to be run alone.
  public func run(on engine: Engine) async -> ReplayVerdict {
    let (generation, obstacle) = generationRequest()
    guard let generation else { return .notCompared(obstacle) }
    let wanted = request.tokenCount
    let endsByItself = comparesEnd
    guard wanted > 0 || endsByItself else { return .notCompared("it ended before its first token") }
    let stream: TokenStream
    do { stream = try await engine.generate(generation) } catch { return .refused(error) }
    var comparison = Comparison(request)
    for await event in stream {
      switch event {
      case .promptLogprobs: break
      case .token(let token):
        if let difference = comparison.take(token) { return difference }
        // Who was ended from outside goes on now: no further than was recorded. Letting go of the stream ends it.
        if !endsByItself && comparison.digest.count == wanted { return comparison.verdict(end: nil) }
      case .finished(let reason, _):
        return comparison.verdict(end: reason)
      }
    }
    return .notCompared("its stream had no end")
  }

  private var comparesEnd: Bool {
    guard let finish = request.finish else { return false }
    return finish.isReproducible && !request.arrival.hasConstraint
  }

  /// Takes tokens as they come and keeps to the first difference.
  private struct Comparison {
    let request: RecordedRequest
    var digest = TokenDigest()
    var comparedLogprobs = 0

    init(_ request: RecordedRequest) { self.request = request }

    mutating func take(_ token: GeneratedToken) -> ReplayVerdict? {
      guard token.position >= request.firstPosition else { return nil }
      digest.append(token)
      if request.finish != nil, digest.count > request.tokenCount {
        return .end(
          recorded: "\(request.finish!) after \(request.tokenCount) tokens", replayed: "another token")
      }
      guard let recorded = request.tokens[token.position] else { return nil }
      guard recorded.id == token.id else {
        return .token(position: token.position, recorded: recorded.id, replayed: token.id)
      }
      guard recorded.logprobs == token.logprobs.map({ ContentHash($0) }) else {
        return .logprobs(position: token.position)
      }
      if recorded.logprobs != nil { comparedLogprobs += 1 }
      return nil
    }

    /// - Parameter end: nil if the request was not left to end.
    func verdict(end: FinishReason?) -> ReplayVerdict {
      if let end {
        let replayed = RecordedFinish(end, digest: digest)
        let recorded = request.finish?.description ?? "more"
        guard digest.count == request.tokenCount else {
          return .end(
            recorded: "\(recorded) after \(request.tokenCount) tokens",
            replayed: "\(replayed) after \(digest.count)")
        }
        if let finish = request.finish, finish.isReproducible, !request.arrival.hasConstraint,
          (finish.reason, finish.detail) != (replayed.reason, replayed.detail)
        {
          return .end(recorded: recorded, replayed: "\(replayed)")
        }
      }
      if let finish = request.finish {
        guard finish.digest.tokens == digest.tokens else { return .somewhere(what: "its tokens") }
        guard finish.digest.logprobs == digest.logprobs else { return .somewhere(what: "its logprobs") }
      }
      return .same(tokens: digest.count, logprobs: comparedLogprobs)
    }
  }
}
