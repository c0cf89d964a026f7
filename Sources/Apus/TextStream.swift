public import ApusEngine

/// A prompt's continuation as it is generated: pieces of text, whole characters only. See `GeneratedText`.
///
/// For one reader. Letting go of it, or of its iterator, ends the request.
public struct TextStream: AsyncSequence, Sendable {
  public typealias Element = String
  public typealias Failure = LanguageModelError

  public let tokens: TokenStream
  private let text: GeneratedText
  /// Keeps an engine made for this stream alone.
  var generator: TextGenerator?

  init(_ tokens: TokenStream, text: GeneratedText) {
    self.tokens = tokens
    self.text = text
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(tokens: tokens.makeAsyncIterator(), text: text, stream: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private var tokens: TokenStream.Iterator
    private var text: GeneratedText
    private let stream: TextStream
    private var isFinished = false

    init(tokens: TokenStream.Iterator, text: GeneratedText, stream: TextStream) {
      self.tokens = tokens
      self.text = text
      self.stream = stream
    }

    public mutating func next() async throws(LanguageModelError) -> String? {
      try await next(isolation: nil)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(LanguageModelError) -> String? {
      while !isFinished, let event = await tokens.next(isolation: actor) {
        if case .finished(let reason, _) = event {
          isFinished = true
          switch reason {
          case .failed(let error): throw .generation(index: 0, error)
          case .shutdown: throw .shutDown(index: 0)
          case .stop, .stopCondition, .complete, .length, .cancelled, .timedOut, .unread: break
          }
        }
        let piece = text.append(event)
        if !piece.isEmpty { return piece }
      }
      return nil
    }
  }
}
