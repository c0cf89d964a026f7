public import ApusEngine
import ApusTokenizer

/// A prompt's continuation as it is generated: pieces of text, whole characters only.
///
/// For one reader. Letting go of it, or of its iterator, ends the request. `details` has more than the text.
public struct TextStream: AsyncSequence, Sendable {
  public typealias Element = String
  public typealias Failure = LanguageModelError

  public let tokens: TokenStream
  private let model: LanguageModel
  /// Keeps an engine made for this stream alone.
  var generator: TextGenerator?

  init(_ tokens: TokenStream, model: LanguageModel) {
    self.tokens = tokens
    self.model = model
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(
      tokens: tokens.makeAsyncIterator(), detokenizer: StreamingDetokenizer(model.tokenizer), stream: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private var tokens: TokenStream.Iterator
    private var detokenizer: StreamingDetokenizer
    private let stream: TextStream
    /// The newest token: it is text only if it turns out not to be the one that stopped the request.
    private var held: Int32?
    private var isFinished = false

    init(tokens: TokenStream.Iterator, detokenizer: StreamingDetokenizer, stream: TextStream) {
      self.tokens = tokens
      self.detokenizer = detokenizer
      self.stream = stream
    }

    public mutating func next() async throws(LanguageModelError) -> String? {
      try await next(isolation: nil)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(LanguageModelError) -> String? {
      while !isFinished, let event = await tokens.next(isolation: actor) {
        var piece = ""
        switch event {
        case .token(let token):
          if let held { piece = detokenizer.appendKnown(held) }
          held = token.id
        case .finished(let reason, _):
          isFinished = true
          piece = try last(reason)
        }
        if !piece.isEmpty { return piece }
      }
      return nil
    }

    private mutating func last(_ reason: FinishReason) throws(LanguageModelError) -> String {
      switch reason {
      case .stop: return detokenizer.finishKnown()
      case .failed(let error): throw .generation(index: 0, error)
      case .shutdown: throw .shutDown(index: 0)
      case .length, .cancelled:
        let piece = held.map { detokenizer.appendKnown($0) } ?? ""
        return piece + detokenizer.finishKnown()
      }
    }
  }
}
