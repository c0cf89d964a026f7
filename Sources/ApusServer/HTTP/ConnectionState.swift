/// What a connection is waiting for, and until when. A value: it is told what happened, and says when to look
/// again and what to do then. Times are on any one clock.
struct ConnectionState: Sendable {
  enum Expiry: Sendable, Equatable {
    /// Nothing is overdue: look again at `deadline`.
    case none
    /// Close without a word: nobody waits for one.
    case close
    /// Say 408 and close.
    case timeOut
  }

  private enum Input: Sendable, Equatable {
    /// No byte of a request has come.
    case idle
    /// The head is on its way.
    case head
    /// The head was read, the body was not.
    case body
    /// The request was read, and its answer is not all written.
    case complete
    /// Nothing is read any more; what comes is dropped until the client has seen the answer.
    case lingering
  }

  private let limits: ServerLimits
  private var input = Input.idle
  private var inputDeadline: Duration
  /// Since nothing could be written.
  private var stalled: Duration?
  private(set) var isAnswering = false
  /// An answer was begun and not ended.
  private var hasBegunAnswer = false

  /// How long the last bytes of a refusal may take to reach a client that goes on sending.
  static let lingerTime = Duration.seconds(2)

  init(limits: ServerLimits, now: Duration) {
    self.limits = limits
    inputDeadline = now + limits.idleTimeout
  }

  /// When to call `expire`; nil: not before something happens.
  var deadline: Duration? {
    let stalledDeadline = stalled.map { $0 + limits.writeTimeout }
    let inputDeadline: Duration? = input == .complete ? nil : self.inputDeadline
    return [stalledDeadline, inputDeadline].compactMap { $0 }.min()
  }

  /// What comes in is not to be looked at.
  var dropsInput: Bool { input == .lingering }

  /// A request is not read to its end.
  var isUnread: Bool { input == .body }

  /// A refusal may be written: no answer is on its way.
  var canRefuse: Bool { !isAnswering && input != .lingering }

  mutating func bytesRead(at now: Duration) {
    guard input == .idle else { return }
    input = .head
    inputDeadline = now + limits.headTimeout
  }

  mutating func headRead(at now: Duration) {
    input = .body
    isAnswering = true
    inputDeadline = now + limits.bodyTimeout
  }

  mutating func endRead(at now: Duration) {
    guard input == .body else { return }
    input = isAnswering ? .complete : .idle
    inputDeadline = now + limits.idleTimeout
  }

  mutating func answerBegun() { hasBegunAnswer = true }

  /// The answer was written. True: the request was not read to its end, so the connection has to close.
  mutating func answerEnded(at now: Duration) -> Bool {
    isAnswering = false
    hasBegunAnswer = false
    if input == .body {
      linger(at: now)
      return true
    }
    if input == .complete { input = .idle }
    inputDeadline = now + limits.idleTimeout
    return false
  }

  /// The connection closes once the client has seen what was written.
  mutating func linger(at now: Duration) {
    input = .lingering
    inputDeadline = now + Self.lingerTime
  }

  mutating func writabilityChanged(_ isWritable: Bool, at now: Duration) {
    stalled = isWritable ? nil : stalled ?? now
  }

  mutating func expire(at now: Duration) -> Expiry {
    if let stalled, stalled + limits.writeTimeout <= now { return .close }
    guard input != .complete, inputDeadline <= now else { return .none }
    switch input {
    case .idle, .lingering, .complete: return .close
    case .head, .body: return hasBegunAnswer ? .close : .timeOut
    }
  }
}
