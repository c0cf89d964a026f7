/// Takes calls of tools out of a text that comes in pieces. What is not a call is content, and never waits
/// longer than until it is clear that it is none; what began like a call and is none is content as it is.
///
/// White space around calls is no content. However the text is cut, the result is the same.
struct ToolCallParser: Sendable {
  enum Event: Sendable, Equatable {
    case content(String)
    case call(ToolCall)
  }

  private enum State {
    /// Text; of Hermes' format also what may begin a mark.
    case text
    /// An object, or what is thought to be one, from its first byte on.
    case object(JSONSpan.Scanner)
    /// After a call: its closing mark, or the next call.
    case afterCall
  }

  private static let openingMark = Array("<tool_call>".utf8)
  private static let closingMark = Array("</tool_call>".utf8)

  private let format: ToolCallFormat
  private var state = State.text
  /// Bytes that are neither content nor part of a call yet.
  private var held: [UInt8] = []
  /// White space that is content only if text follows.
  private var space: [UInt8] = []
  private var events: [Event] = []
  private var content: [UInt8] = []
  /// Of Llama's format: text came that is no call, so nothing is one any more.
  private var isPlain = false
  private var hadCall = false

  init(_ format: ToolCallFormat) { self.format = format }

  /// The content and the calls that `piece` settles.
  mutating func append(_ piece: String) -> [Event] {
    for byte in piece.utf8 { take(byte) }
    return takeEvents()
  }

  /// What is left at the end of the text.
  mutating func finish() -> [Event] {
    switch state {
    case .text, .object: flushHeld()
    // White space, or the beginning of the closing mark.
    case .afterCall: held = []
    }
    if !hadCall { content += space }
    space = []
    return takeEvents()
  }

  private var trimmedHeld: ArraySlice<UInt8> { held.drop(while: JSONSpan.isSpace) }

  private mutating func take(_ byte: UInt8) {
    switch state {
    case .text: takeText(byte)
    case .object(var scanner):
      held.append(byte)
      let isEnd = scanner.take(byte)
      state = .object(scanner)
      if isEnd { endObject() }
    case .afterCall: takeAfterCall(byte)
    }
  }

  private mutating func takeText(_ byte: UInt8) {
    switch format {
    case .hermes: takeHermesText(byte)
    case .llama3:
      if !isPlain, byte == UInt8(ascii: "{") {
        begin(byte)
      } else {
        if !JSONSpan.isSpace(byte) { isPlain = true }
        addContent(byte)
      }
    }
  }

  /// `held` is a beginning of the opening mark, or all of it and white space.
  private mutating func takeHermesText(_ byte: UInt8) {
    if held.count >= Self.openingMark.count {
      if JSONSpan.isSpace(byte) { return held.append(byte) }
      if byte == UInt8(ascii: "{") { return begin(byte) }
    } else if Self.openingMark[held.count] == byte {
      return held.append(byte)
    }
    // No mark begins inside another, so what is held is text up to here.
    flushHeld()
    if byte == Self.openingMark[0] { held = [byte] } else { addContent(byte) }
  }

  private mutating func begin(_ byte: UInt8) {
    held.append(byte)
    var scanner = JSONSpan.Scanner()
    _ = scanner.take(byte)
    state = .object(scanner)
  }

  private mutating func endObject() {
    let start = held.firstIndex(of: UInt8(ascii: "{")) ?? held.startIndex
    let keys = format == .hermes ? ["arguments", "parameters"] : ["parameters", "arguments"]
    guard let call = ToolCall(held[start...], argumentKeys: keys) else {
      state = .text
      isPlain = true
      return flushHeld()
    }
    flushContent()
    space = []
    held = []
    hadCall = true
    events.append(.call(call))
    state = .afterCall
  }

  private mutating func takeAfterCall(_ byte: UInt8) {
    switch format {
    case .hermes:
      held.append(byte)
      let rest = trimmedHeld
      if rest.elementsEqual(Self.closingMark) {
        held = []
        state = .text
      } else if !Self.closingMark.starts(with: rest) {
        // The model left the mark out.
        let text = held
        held = []
        state = .text
        for byte in text { takeHermesText(byte) }
      }
    case .llama3:
      if byte == UInt8(ascii: "{") {
        begin(byte)
      } else if !JSONSpan.isSpace(byte), byte != UInt8(ascii: ";"), byte != UInt8(ascii: ",") {
        state = .text
        takeText(byte)
      }
    }
  }

  private mutating func addContent(_ byte: UInt8) {
    if JSONSpan.isSpace(byte) {
      space.append(byte)
    } else {
      content += space
      content.append(byte)
      space.removeAll(keepingCapacity: true)
    }
  }

  private mutating func flushHeld() {
    for byte in held { addContent(byte) }
    held = []
  }

  private mutating func flushContent() {
    if !content.isEmpty { events.append(.content(String(decoding: content, as: UTF8.self))) }
    content = []
  }

  private mutating func takeEvents() -> [Event] {
    flushContent()
    defer { events = [] }
    return events
  }
}
