public import ApusEngine
public import ApusTokenizer

/// Ends a request at the token that completes one of some strings in its text, wherever in the token, and
/// however many tokens or parts of characters the string came in.
///
/// As in vLLM:
/// - The string that is complete first ends the text; of several that end at the same character, the one that
///   was named first.
/// - A string that one of the first `minTokens` tokens completes does not count; one that begins there and
///   ends later does.
/// - The text is what `GeneratedText` makes: the prompt is no part of it, nor are special tokens unless asked
///   for.
///
/// Strings are compared by their UTF-8.
public struct StopStrings: StopCondition {
  /// Strings of one request, at most.
  public static let countMax = 16
  /// Bytes of UTF-8 of one string, at most.
  public static let byteCountMax = 1024

  let text: StoppableText
  private var searched: StoppableText

  /// - Parameters:
  ///   - strings: 1...16, none empty, none longer than 1,024 bytes.
  ///   - prompt: the tokens that are continued.
  ///   - minTokens: the request's `SamplingParameters.minTokens`.
  ///   - skipSpecialTokens: special tokens are no text.
  public init(
    _ strings: [String], tokenizer: Tokenizer, continuing prompt: [Int32], minTokens: Int = 0,
    skipSpecialTokens: Bool = true
  ) throws(StopStringsError) {
    guard (1...Self.countMax).contains(strings.count) else { throw .wrongCount(strings.count) }
    for (index, string) in strings.enumerated() {
      if string.isEmpty { throw .emptyString(index: index) }
      let byteCount = string.utf8.count
      if byteCount > Self.byteCountMax { throw .tooLong(index: index, byteCount: byteCount) }
    }
    text = StoppableText(
      tokenizer, continuing: prompt, matcher: StopStringMatcher(strings), minTokens: minTokens,
      skipSpecialTokens: skipSpecialTokens)
    searched = text
  }

  public mutating func shouldStop(after token: Int32) -> Bool {
    _ = searched.append(token)
    return searched.hasStopped
  }
}

/// Why strings cannot end a request.
public enum StopStringsError: Error, Sendable, Equatable, CustomStringConvertible {
  case wrongCount(Int)
  case emptyString(index: Int)
  case tooLong(index: Int, byteCount: Int)

  public var description: String {
    switch self {
    case .wrongCount(let count):
      "stop has \(count) strings, expected 1...\(StopStrings.countMax)"
    case .emptyString(let index):
      "stop[\(index)] is empty, expected a string with a character"
    case .tooLong(let index, let byteCount):
      "stop[\(index)] has \(byteCount) bytes, expected at most \(StopStrings.byteCountMax)"
    }
  }
}
