import ApusEngine
import TestSupport

/// What a request is and what it must give, worked out from itself alone when it comes; and where it is, by what was
/// said of it since.
struct SimulatedRequest {
  let id: RequestID
  let arrival: History.Arrival
  let promptCount: Int
  let sharedCount: Int
  let maxTokens: Int
  let family: RequestID?
  let queueDeadline: Int?
  let deadline: Int?

  /// The prompt, and everything that it generates if nothing ends it before.
  let sequence: [Int32]
  /// What the cache holds for each position of `sequence`.
  let contents: [UInt64]
  /// Why it then ends.
  let ending: FinishReason

  /// Tokens of `sequence` that are known: the prompt and what was delivered.
  var known: Int
  var slot: Int?
  var isEnded = false
  /// Positions its slot holds, and the most that it was to hold, with guesses.
  var computed = 0
  var reach = 0
  /// Positions of the prompt whose logits were given.
  var scored = 0
  var wasAdmitted = false
  /// Later ones that got their first slots while it waited.
  var overtaken = 0
  var preemptions = 0

  var isWaiting: Bool { !isEnded && slot == nil }
  var isDecoding: Bool { known > promptCount && computed == known - 1 }
  var generated: Int { known - promptCount }
  var mustScore: Bool { arrival.scores == 1 && scored < promptCount }
  /// It ends as its next token cannot be drawn; with a token that the scheduler does not know to be its last.
  var fails: Bool { if case .failed = ending { true } else { false } }
  var endsByContent: Bool { ending == .stopCondition || ending == .complete }
  var tokens: ArraySlice<Int32> { sequence[..<known] }
  var remaining: Int { known - computed + maxTokens - generated }

  /// - Parameters:
  ///   - beginning: the prompt, and what was generated before it was forked.
  ///   - seed: draws its tokens.
  init(
    id: RequestID, arrival: History.Arrival, origin: SimulatedRequest?, beginning: [Int32], seed: UInt64,
    family: RequestID?, now: Int, vocabulary: Int
  ) {
    self.id = id
    self.arrival = arrival
    self.family = family
    promptCount = origin?.promptCount ?? beginning.count
    maxTokens = origin?.maxTokens ?? arrival.max
    sharedCount = beginning.count
    known = beginning.count
    queueDeadline = arrival.queueTimeout > 0 ? now + arrival.queueTimeout : nil
    deadline = arrival.timeout > 0 ? now + arrival.timeout : nil

    var sequence = beginning
    var contents: [UInt64] = []
    var content: UInt64 = 0
    for token in beginning {
      content = TokenSource.content(after: content, token: token)
      contents.append(content)
    }
    var ending: FinishReason?
    while ending == nil {
      let generated = sequence.count - promptCount
      let isTold = arrival.ending == generated + 1
      if isTold && arrival.endingKind == 2 {
        ending = .failed(.invalidLogits(request: id, position: sequence.count))
        break
      }
      let token = TokenSource.token(
        after: content, newest: sequence[sequence.count - 1], seed: seed, hasMemory: arrival.memory == 0,
        vocabulary: vocabulary)
      content = TokenSource.content(after: content, token: token)
      sequence.append(token)
      contents.append(content)
      if generated >= arrival.min && Self.stops(arrival, token) {
        ending = .stop(token: token)
      } else if generated + 1 >= maxTokens {
        ending = .length
      } else if isTold {
        ending = arrival.endingKind == 0 ? .stopCondition : .complete
      }
    }
    self.sequence = sequence
    self.contents = contents
    self.ending = ending!
  }

  private static func stops(_ arrival: History.Arrival, _ token: Int32) -> Bool {
    arrival.stop & 1 << Int(token) != 0
  }

  /// As it is given to the scheduler.
  func scheduled() -> ScheduledRequest {
    ScheduledRequest(
      id: id, promptTokens: Array(sequence[..<promptCount]),
      generatedTokens: Array(sequence[promptCount..<known]),
      maxTokens: maxTokens, stopTokenIDs: (0..<32).filter { Self.stops(arrival, $0) }, minTokens: arrival.min,
      priority: arrival.priority, tenant: "\(arrival.tenant)",
      queueDeadline: queueDeadline.map { .milliseconds($0) }, deadline: deadline.map { .milliseconds($0) },
      family: family, sharedCount: sharedCount, scoresPrompt: arrival.scores == 1)
  }
}
