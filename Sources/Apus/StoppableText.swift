import ApusTokenizer

/// The text of tokens, up to the first stop string. See `StopStrings` for what counts as one.
struct StoppableText: Sendable {
  private var text: ContinuedText
  private var matcher: StopStringMatcher?
  private let minTokens: Int
  /// The stop string stays in the text.
  var includesStopString = false

  private var tokenCount = 0
  /// Matches that end up to here belong to the first `minTokens` tokens.
  private var minEnd = 0
  /// Text that is settled but may begin a stop string.
  private var open: [UInt8] = []
  private(set) var hasStopped = false

  init(
    _ tokenizer: Tokenizer, continuing prompt: [Int32], matcher: StopStringMatcher? = nil, minTokens: Int = 0,
    skipSpecialTokens: Bool = true
  ) {
    text = ContinuedText(tokenizer, continuing: prompt, skipSpecialTokens: skipSpecialTokens)
    self.matcher = matcher
    self.minTokens = minTokens
  }

  /// The text that `token` settles; up to the stop string, if the token completes one; then nothing more.
  mutating func append(_ token: Int32) -> String {
    guard !hasStopped else { return "" }
    let piece = text.append(token)
    guard matcher != nil else { return piece }
    tokenCount += 1
    return search(piece.utf8)
  }

  /// The text that still waited, unless a stop string ended it.
  mutating func finish() -> String {
    guard !hasStopped else { return "" }
    return String(decoding: open, as: UTF8.self) + text.finish()
  }

  private mutating func search(_ piece: String.UTF8View) -> String {
    let settled = matcher!.byteCount - open.count
    let isSearched = tokenCount > minTokens
    let match = matcher!.append(piece, minEnd: isSearched ? minEnd : .max)
    open += piece
    if let match { return stop(at: match, settled) }
    // What waits for a next token is text if this one is the last.
    let rest = text.rest.utf8
    if !isSearched {
      minEnd = matcher!.byteCount + rest.count
    } else if !rest.isEmpty {
      var ahead = matcher!
      if let match = ahead.append(rest, minEnd: minEnd) {
        open += rest
        return stop(at: match, settled)
      }
    }
    let count = open.count - (includesStopString ? 0 : matcher!.openByteCount)
    defer { open.removeFirst(count) }
    return String(decoding: open[..<count], as: UTF8.self)
  }

  /// - Parameter settled: bytes of the text before `open`.
  private mutating func stop(at match: StopStringMatcher.Match, _ settled: Int) -> String {
    hasStopped = true
    let end = includesStopString ? match.end : match.start
    return String(decoding: open[..<(end - settled)], as: UTF8.self)
  }
}
