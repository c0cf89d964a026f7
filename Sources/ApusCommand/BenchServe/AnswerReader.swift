import ApusCheckpoint
import Foundation

/// Reads the answer to one streaming request and notes when its pieces came. A value: it is told what came
/// and when.
struct AnswerReader: Sendable {
  /// Bytes of a refusal that are kept.
  private static let refusalByteCountMax = 16 << 10

  private(set) var outcome: RequestOutcome
  private var events = EventParser()
  private var status: Int?
  private var refusal: [UInt8] = []
  private var isDone = false

  init(start: Double) { outcome = RequestOutcome(start: start) }

  mutating func headRead(status: Int) { self.status = status }

  /// - Parameter time: seconds from when the request was sent.
  mutating func bodyRead(_ bytes: some Collection<UInt8>, at time: Double) {
    guard status == 200 else {
      refusal += bytes.prefix(max(0, Self.refusalByteCountMax - refusal.count))
      return
    }
    do {
      for event in try events.append(bytes) where !isDone { try read(event, at: time) }
    } catch is EventParser.TooLong {
      fail("an event has more than \(EventParser.byteCountMax) bytes")
    } catch {
      fail("\(error)")
    }
  }

  /// The answer is at its end, or the connection is.
  mutating func ended() {
    guard outcome.succeeded else { return }
    guard let status else { return fail("the connection closed before an answer") }
    if status != 200 {
      fail("status \(status): \(Self.message(of: refusal))")
    } else if !isDone {
      fail("the stream was cut after \(outcome.pieces.count) pieces")
    } else if outcome.pieces.isEmpty {
      fail("the stream had no text")
    }
  }

  mutating func fail(_ reason: String) {
    if outcome.failure == nil { outcome.failure = reason }
  }

  private mutating func read(_ event: String, at time: Double) throws {
    if event == "[DONE]" {
      isDone = true
      return
    }
    let object = try JSONObject.parse(line: event, place: "an event")
    if case .object(let error)? = object.value("error") {
      return fail("error in the stream: \(Self.message(of: error))")
    }
    if case .object(let usage)? = object.value("usage") {
      outcome.promptTokens = usage["prompt_tokens"]?.count ?? outcome.promptTokens
      outcome.completionTokens = usage["completion_tokens"]?.count ?? outcome.completionTokens
    }
    guard case .array(let choices)? = object.value("choices"), case .object(let choice)? = choices.first
    else {
      return
    }
    let (text, isPiece) = Self.text(of: choice)
    outcome.text += text
    // An answer whose tokens have no text, such as an end at once, is there when it says that it ends.
    let endsWithoutText = outcome.pieces.isEmpty && choice["finish_reason"]?.string != nil
    if isPiece || endsWithoutText { outcome.pieces.append(time) }
  }

  /// A completion's text, or what a chat's delta holds: the role alone is none.
  private static func text(of choice: JSONMembers) -> (text: String, isPiece: Bool) {
    guard case .object(let delta)? = choice["delta"] else {
      let text = choice["text"]?.string ?? ""
      return (text, !text.isEmpty)
    }
    let text = (delta["reasoning_content"]?.string ?? "") + (delta["content"]?.string ?? "")
    if case .array(let calls)? = delta["tool_calls"], !calls.isEmpty { return (text, true) }
    return (text, !text.isEmpty)
  }

  private static func message(of error: JSONMembers) -> String {
    error["message"]?.string ?? "without a message"
  }

  private static func message(of body: [UInt8]) -> String {
    let text = String(decoding: body, as: UTF8.self)
    guard let object = try? JSONObject.parse(line: text, place: "answer"),
      case .object(let error)? = object.value("error")
    else { return String(text.prefix(200)).asOneLine }
    return message(of: error)
  }
}

extension JSONValue {
  fileprivate var string: String? { if case .string(let string) = self { string } else { nil } }

  fileprivate var count: Int? {
    if case .integer(let integer) = self, integer >= 0 { integer } else { nil }
  }
}
