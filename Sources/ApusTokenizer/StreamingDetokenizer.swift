/// Turns ids into text as they come, whole characters only.
///
/// All that `append` and `finish` return, put together, is what `Tokenizer.decode` gives for all the ids.
/// Text that a later id could still change waits: the bytes of a character that has only begun, and with byte
/// fallback a run of byte tokens, which is text or U+FFFD as a whole. At most some kilobytes ever wait.
public struct StreamingDetokenizer: Sendable {
  private let tokenizer: Tokenizer
  private let skipSpecialTokens: Bool
  private var state: DecoderState

  public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    self.skipSpecialTokens = skipSpecialTokens
    state = tokenizer.decoderState(keepsBytes: false)
  }

  /// Takes the next id and returns the text that is settled by it, often one word, possibly none.
  /// - Throws: `.unknownID`, after which the detokenizer goes on as if the id had not come.
  public mutating func append(_ id: Int32) throws(TokenizerError) -> String {
    var text: [UInt8] = []
    try tokenizer.decode(id, skipSpecialTokens: skipSpecialTokens, &state, into: &text)
    return text.text
  }

  /// Returns what was still waiting, a character cut short as U+FFFD, and begins a new text.
  public mutating func finish() throws(TokenizerError) -> String {
    var text: [UInt8] = []
    try state.finish(to: &text)
    state = tokenizer.decoderState(keepsBytes: false)
    return text.text
  }
}
