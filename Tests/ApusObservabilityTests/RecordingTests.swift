import ApusEngine
import Foundation
import Testing

@testable import ApusObservability

struct RecordingTests {
  private static let arrival = RequestArrival(
    id: RequestID(rawValue: 3), promptTokens: [1, 2, 60],
    sampling: SamplingParameters(
      temperature: 0.1, topK: 7, topP: 0.3, minP: 1e-7, maxTokens: 9, stopTokenIDs: [5], ignoreEOS: true,
      logprobs: 2, promptLogprobs: 1, minTokens: 2, logitBias: [4: -0.7, 1: 100], repetitionPenalty: 1.1,
      presencePenalty: -0.3, frequencyPenalty: 1.7, allowedTokenIDs: [1, 2, 5]),
    seed: .max, priority: -4, tenant: "a \"tenant\"\n\u{1}é", forkedFrom: RequestID(rawValue: 1),
    generatedTokens: [8, 9], hasStopCondition: true, hasConstraint: true)

  private static var records: [BufferedRecord] {
    var digest = TokenDigest()
    let token = GeneratedToken(
      id: 7, position: 5, logprobs: TokenLogprobs(chosen: -0.5, top: [.init(id: 7, logprob: -0.5)]))
    digest.append(token)
    return [
      BufferedRecord(event: .submitted(arrival, at: .nanoseconds(12))),
      BufferedRecord(event: .admitted(arrival.id, slot: 0, at: .nanoseconds(13))),
      BufferedRecord(event: .reused(arrival.id, positions: 2, at: .nanoseconds(13))),
      BufferedRecord(
        event: .step(
          StepRecord(
            start: .nanoseconds(13), end: .nanoseconds(20), prefillRows: 3, decodeRows: 0,
            runs: [.init(request: arrival.id, slot: 0, position: 2, rowCount: 3, isPrefill: true)],
            waitingForPages: [RequestID(rawValue: 9)]))),
      BufferedRecord(event: .token(arrival.id, slot: 0, token, at: .nanoseconds(21))),
      BufferedRecord(
        event: .preempted(arrival.id, slot: 0, by: RequestID(rawValue: 1), at: .nanoseconds(22))),
      BufferedRecord(
        event: .finished(arrival.id, slot: nil, .stop(token: 7), at: .nanoseconds(23)), digest: digest),
    ]
  }

  @Test func everythingThatAnAnswerDependsOnComesBackExactly() throws {
    let recording = try Recording(lines: encoded(Self.records))
    #expect(recording.header == .test)
    #expect(recording.isComplete && recording.stepCount == 1 && recording.droppedCount == 0)
    let request = try #require(recording.requests.first)
    var expected = Self.arrival
    expected.sampling.seed = nil
    #expect(request.arrival == expected)
    #expect(request.tokens.keys.sorted() == [5] && request.tokens[5]?.id == 7)
    #expect(request.finish?.reason == "stop" && request.finish?.detail == 7)
    #expect(request.finish?.digest == Self.records.last?.digest)
    #expect(recording[RequestID(rawValue: 3)] == request && recording[RequestID(rawValue: 4)] == nil)
  }

  @Test(
    arguments: [
      .stop(token: 3), .stopCondition, .complete, .length, .cancelled, .timedOut(.queue), .timedOut(.total),
      .unread, .shutdown, .failed(.invalidLogits(request: RequestID(rawValue: 3), position: 8)),
      .failed(.nothingAllowed(request: RequestID(rawValue: 3), position: 8)),
    ] as [FinishReason])
  func everyReasonHasANameThatIsRead(reason: FinishReason) throws {
    let records = [
      Self.records[0],
      BufferedRecord(event: .finished(Self.arrival.id, slot: 1, reason, at: .zero), digest: TokenDigest()),
    ]
    let finish = try #require(try Recording(lines: encoded(records)).requests[0].finish)
    #expect(finish == RecordedFinish(reason, digest: TokenDigest()))
    #expect(RecordedFinish.names.contains(finish.reason))
  }

  /// Hash of the empty text and of "a", from the authors' page of test vectors.
  @Test func theHashIsFNV1a() {
    var hash = ContentHash()
    #expect(hash.description == "cbf29ce484222325")
    hash.combine(bytes: "a".utf8)
    #expect(hash.description == "af63dc4c8601ec8c")
    var words = ContentHash()
    words.combine(0x0403_0201 as Int32)
    var bytes = ContentHash()
    bytes.combine(bytes: [1, 2, 3, 4])
    #expect(words == bytes)
    #expect(ContentHash("af63dc4c8601ec8c") == hash)
    #expect(ContentHash("+f63dc4c8601ec8c") == nil && ContentHash("af63") == nil)
  }

  private func error(_ lines: [String], cutOffAfter: Int? = nil) -> RecordingError? {
    var parser = RecordingParser()
    do {
      for (index, line) in lines.enumerated() { try parser.append(line, isCutOff: index == cutOffAfter) }
      _ = try parser.recording()
      return nil
    } catch { return error }
  }

  @Test func faultyRecordingsAreRefusedByLine() {
    let lines = encoded(Self.records)
    #expect(error([]) == .empty)
    #expect(error([""]) == .notARecording(line: 1, found: "no JSON object"))
    #expect(error(["{\"a\":1,\"b\":2}"]) == .notARecording(line: 1, found: "an object of 2 members"))
    #expect(error([lines[1]]) == .notARecording(line: 1, found: "a record named \"arrival\""))
    let format = lines[0].replacingOccurrences(of: "\"format\":1", with: "\"format\":2")
    #expect(error([format]) == .format(line: 1, found: 2))
    #expect(error(lines, cutOffAfter: 3) == .truncated(line: 4))
    #expect(error([lines[0], "{\"plan\":{}}"]) == .unknownRecord(line: 2, name: "\"plan\""))
    #expect(error([lines[0], lines[0]]) == .outOfOrder(line: 2, problem: "a second header"))
    #expect(
      error([lines[0], lines[1], lines[1]]) == .outOfOrder(line: 3, problem: "request 3 arrives twice"))
    #expect(error([lines[0], lines[5]]) == .outOfOrder(line: 2, problem: "request 3 has not arrived"))
    #expect(
      error([lines[0], lines[1], lines[5], lines[5]])
        == .outOfOrder(line: 4, problem: "request 3 has no token to come at position 5"))
    #expect(
      error(lines + [lines[1]]) == .outOfOrder(line: lines.count + 1, problem: "a record after the end"))
    let seed = lines[1].replacingOccurrences(of: "\"18446744073709551615\"", with: "\"18446744073709551616\"")
    #expect(error([lines[0], seed])?.description.hasPrefix("line 2: ") == true)
    #expect(error([lines[0], seed])?.description.contains("arrival.seed") == true)
    let reason = lines[7].replacingOccurrences(of: "\"stop\"", with: "\"stopped\"")
    #expect(error(Array(lines[...6]) + [reason])?.description.contains("line 8: ") == true)
    let far = lines[5].replacingOccurrences(of: "[[3,5,", with: "[[3,\(Int.max),")
    #expect(error([lines[0], lines[1], far])?.description.contains("line 3: ") == true)
    #expect(error([lines[0], "{\"arrival\":[]}"])?.description.contains("line 2: ") == true)
  }

  /// Whatever is done to a line, the parser answers with a typed error that names it, or takes it.
  @Test func damagedLinesNeverCrashAndAreNamed() {
    let lines = encoded(Self.records)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<4000 {
      let index = Int.random(in: 0..<lines.count)
      var bytes = Array(lines[index].utf8)
      switch Int.random(in: 0..<3) {
      case 0: bytes.removeLast(Int.random(in: 1...bytes.count))
      case 1: bytes[Int.random(in: 0..<bytes.count)] = UInt8.random(in: 0x20...0x7e)
      default: bytes.remove(at: Int.random(in: 0..<bytes.count))
      }
      var damaged = lines
      damaged[index] = String(decoding: bytes, as: UTF8.self)
      guard let error = error(damaged, cutOffAfter: nil) else { continue }
      #expect(error.description.contains("line "), "\(error) for \(damaged[index])")
      #expect(!error.description.contains("\n"))
      _ = random.next()
    }
  }

  @Test func tokensOfRequestsWhoseArrivalWasDroppedAreLeftOut() throws {
    let lines = encoded(Self.records)
    var parser = RecordingParser()
    for line in [lines[0], "{\"dropped\":{\"records\":2}}", lines[5], lines[7]] { try parser.append(line) }
    let recording = try parser.recording()
    #expect(recording.requests == [] && recording.droppedCount == 2 && !recording.isComplete)
  }
}
