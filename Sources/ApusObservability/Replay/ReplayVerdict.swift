public import ApusEngine

/// What running a recorded request again, alone, showed.
public enum ReplayVerdict: Sendable, Equatable {
  /// Bit for bit, so many tokens, so many of them with logprobs.
  case same(tokens: Int, logprobs: Int)
  /// The first token that differs, as far as single tokens were recorded.
  case token(position: Int, recorded: Int32, replayed: Int32)
  /// The first token whose logprobs have other bits.
  case logprobs(position: Int)
  /// It ended where the recording goes on, or the other way round, or otherwise.
  case end(recorded: String, replayed: String)
  /// Tokens that were dropped from the recording differ, or their logprobs: which, nobody can say.
  case somewhere(what: String)
  /// Nothing to compare, and why.
  case notCompared(String)
  /// The engine takes no such request.
  case refused(AdmissionError)

  /// The bits are not the same.
  public var isDifference: Bool {
    switch self {
    case .same, .notCompared: false
    case .token, .logprobs, .end, .somewhere, .refused: true
    }
  }
}

extension ReplayVerdict: CustomStringConvertible {
  public var description: String {
    switch self {
    case .same(let tokens, let logprobs):
      "same bits, \(tokens) token\(tokens == 1 ? "" : "s")\(logprobs > 0 ? ", \(logprobs) with logprobs" : "")"
    case .token(let position, let recorded, let replayed):
      "differs from position \(position) on: token \(recorded) was recorded, \(replayed) came now"
    case .logprobs(let position):
      "differs from position \(position) on: the token is the same, its logprobs not"
    case .end(let recorded, let replayed):
      "differs in its end: \(recorded) was recorded, \(replayed) came now"
    case .somewhere(let what): "differs in \(what), at a position that was dropped from the recording"
    case .notCompared(let reason): "not compared: \(reason)"
    case .refused(let error): "refused: \(error)"
    }
  }
}
