import Testing

@testable import ApusCommand

@Suite struct AnswerReaderTests {
  private static func events(_ text: String, pieces size: Int = 1 << 20) throws -> [String] {
    var parser = EventParser()
    let bytes = Array(text.utf8)
    return try stride(from: 0, to: bytes.count, by: size).flatMap {
      try parser.append(bytes[$0..<min($0 + size, bytes.count)])
    }
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func eventsAreTheSameHoweverBytesCome(_ size: Int) throws {
    let text =
      ": hello\n\ndata: {\"a\": \"é\"}\n\nevent: x\ndata:one\r\ndata: two\r\n\r\nid: 3\n\ndata\n\ndata: [DONE]\n\ndata: cut"
    #expect(try Self.events(text, pieces: size) == [#"{"a": "é"}"#, "one\ntwo", "", "[DONE]"])
  }

  @Test func anEventWithoutEndIsRefused() {
    var parser = EventParser()
    #expect(throws: EventParser.TooLong.self) {
      for _ in 0...EventParser.byteCountMax >> 16 {
        _ = try parser.append(repeatElement(0x61, count: 1 << 16))
      }
    }
  }

  private static func outcome(status: Int = 200, _ pieces: String...) -> RequestOutcome {
    var reader = AnswerReader(start: 0)
    reader.headRead(status: status)
    for (index, piece) in pieces.enumerated() { reader.bodyRead(Array(piece.utf8), at: Double(index + 1)) }
    reader.ended()
    return reader.outcome
  }

  private static func chunk(_ text: String) -> String {
    "data: {\"choices\": [{\"index\": 0, \"text\": \"\(text)\", \"finish_reason\": null}]}\n\n"
  }

  private static let usage =
    "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 5}}\n\n"

  @Test func piecesHaveTheTimeTheyCame() {
    let outcome = Self.outcome(
      Self.chunk("a"), ": keep-alive\n\n", Self.chunk(""), Self.chunk("b") + Self.usage, "data: [DONE]\n\n")
    #expect(outcome.failure == nil)
    #expect(outcome.pieces == [1, 4])
    #expect(outcome.text == "ab")
    #expect(outcome.promptTokens == 3)
    #expect(outcome.outputTokenCount == 5)
  }

  @Test func aChatsRoleIsNoPieceAndItsReasoningIs() {
    let role = #"data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}"# + "\n\n"
    let thought = #"data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}"# + "\n\n"
    let call = #"data: {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}"# + "\n\n"
    let outcome = Self.outcome(role, thought, call, "data: [DONE]\n\n")
    #expect(outcome.pieces == [2, 3])
    #expect(outcome.text == "hm")
  }

  @Test func anAnswerWithoutTextIsThereWhenItEnds() {
    let end = #"data: {"choices": [{"text": "", "finish_reason": "stop"}]}"# + "\n\n"
    let outcome = Self.outcome(Self.chunk(""), end, "data: [DONE]\n\n")
    #expect(outcome.pieces == [2])
    #expect(outcome.succeeded)
  }

  @Test func whatIsNoWholeAnswerSaysWhy() {
    #expect(Self.outcome(Self.chunk("a")).failure == "the stream was cut after 1 pieces")
    let refused = Self.outcome(status: 429, #"{"error": {"message": "the queue is full"}}"#)
    #expect(refused.failure == "status 429: the queue is full")
    #expect(Self.outcome(status: 502, "<html>\n").failure == #"status 502: <html>\n"#)
    let error = Self.outcome(
      Self.chunk("a"), "data: {\"error\": {\"message\": \"no\"}}\n\n", "data: [DONE]\n\n")
    #expect(error.failure == "error in the stream: no")
    #expect(Self.outcome("data: {\n\n").failure?.contains("an event") == true)
    var silent = AnswerReader(start: 0)
    silent.ended()
    #expect(silent.outcome.failure == "the connection closed before an answer")
  }
}
