import ApusEngine
import ApusTokenizer

/// Turns a request's tokens into text as they come: whole characters, no special tokens, and not the token
/// that stopped the request, whatever it is.
struct GeneratedText {
  private var detokenizer: StreamingDetokenizer
  /// The newest token: it is text only if it turns out not to be the one that stopped the request.
  private var held: Int32?

  init(_ tokenizer: Tokenizer) { detokenizer = StreamingDetokenizer(tokenizer) }

  /// The text that `event` settles.
  mutating func append(_ event: TokenEvent) -> String {
    switch event {
    case .token(let token):
      let piece = held.map { text(of: $0) } ?? ""
      held = token.id
      return piece
    case .finished(.stop, _):
      return (try? detokenizer.finish()) ?? ""
    case .finished:
      let piece = held.map { text(of: $0) } ?? ""
      return piece + ((try? detokenizer.finish()) ?? "")
    }
  }

  /// A model's vocabulary may be larger than its tokenizer's; ids without a token are no text, as in Hugging
  /// Face tokenizers.
  private mutating func text(of token: Int32) -> String { (try? detokenizer.append(token)) ?? "" }
}
