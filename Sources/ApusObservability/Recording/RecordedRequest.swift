public import ApusEngine

/// A request of a recording: how it came, what it gave, how it ended.
public struct RecordedRequest: Sendable, Equatable {
  public struct Token: Sendable, Equatable {
    public var id: Int32
    /// Of its logprobs, if it came with some.
    public var logprobs: ContentHash?
  }

  public var arrival: RequestArrival
  /// By position. Some may be missing: see `Recording.droppedCount`.
  public internal(set) var tokens: [Int: Token] = [:]
  /// Nil: the recording ends before, or does not say.
  public internal(set) var finish: RecordedFinish?

  /// Position of the first token that its stream gave.
  var firstPosition: Int { arrival.promptTokens.count + arrival.generatedTokens.count }

  /// Tokens that its stream gave, as far as the recording tells.
  public var tokenCount: Int {
    finish?.digest.count ?? tokens.keys.max().map { $0 + 1 - firstPosition } ?? 0
  }

  /// All of its tokens in order; nil if one is missing.
  var allTokens: [Int32]? {
    var ids: [Int32] = []
    for position in firstPosition..<firstPosition + tokenCount {
      guard let token = tokens[position] else { return nil }
      ids.append(token.id)
    }
    return ids
  }
}

/// How a request ended, as recordings spell it.
public struct RecordedFinish: Sendable, Equatable, CustomStringConvertible {
  /// `FinishReason` in words.
  public let reason: String
  /// The token that stopped it, or the position at which it failed.
  public let detail: Int?
  /// Over all of its tokens, also those that were dropped.
  public let digest: TokenDigest

  init(reason: String, detail: Int?, digest: TokenDigest) {
    self.reason = reason
    self.detail = detail
    self.digest = digest
  }

  init(_ reason: FinishReason, digest: TokenDigest) {
    let detail: Int? =
      switch reason {
      case .stop(let token): Int(token)
      case .failed(.invalidLogits(_, let position)), .failed(.nothingAllowed(_, let position)): position
      default: nil
      }
    self.init(reason: Self.name(of: reason), detail: detail, digest: digest)
  }

  static let names = [
    "stop", "stop_condition", "complete", "length", "cancelled", "queue_timeout", "timeout", "unread",
    "shutdown",
    "invalid_logits", "nothing_allowed",
  ]

  static func name(of reason: FinishReason) -> String {
    switch reason {
    case .stop: "stop"
    case .stopCondition: "stop_condition"
    case .complete: "complete"
    case .length: "length"
    case .cancelled: "cancelled"
    case .timedOut(.queue): "queue_timeout"
    case .timedOut(.total): "timeout"
    case .unread: "unread"
    case .shutdown: "shutdown"
    case .failed(.invalidLogits): "invalid_logits"
    case .failed(.nothingAllowed): "nothing_allowed"
    }
  }

  /// The model, the parameters and the limits alone ended it: it ends so again.
  var isReproducible: Bool {
    ["stop", "length", "invalid_logits", "nothing_allowed"].contains(reason)
  }

  public var description: String {
    switch reason {
    case "stop": "stop token \(detail.map(String.init) ?? "?")"
    case "invalid_logits", "nothing_allowed": "\(reason) at position \(detail.map(String.init) ?? "?")"
    default: reason
    }
  }
}
