/// How one request of a load went. Times in seconds.
struct RequestOutcome: Sendable, Equatable {
  /// When it was sent, from the start of the run.
  var start: Double
  /// When each piece of text came, from when the request was sent.
  var pieces: [Double] = []
  var text = ""
  /// As the server's usage has them; nil where it gave none.
  var promptTokens: Int?
  var completionTokens: Int?
  /// Why there is no whole answer; nil if there is.
  var failure: String?

  var succeeded: Bool { failure == nil }

  /// By the server's usage, else by pieces, which may hold several tokens.
  var outputTokenCount: Int { completionTokens ?? pieces.count }

  var timeToFirstToken: Double { pieces.first ?? 0 }

  /// From sending to the last piece.
  var latency: Double { pieces.last ?? 0 }

  /// Between each piece and the one before.
  var gaps: [Double] { zip(pieces.dropFirst(), pieces).map { $0 - $1 } }

  /// Without the first token; nil where there are no others.
  var timePerOutputToken: Double? {
    outputTokenCount > 1 ? (latency - timeToFirstToken) / Double(outputTokenCount - 1) : nil
  }
}
