/// What the embedded model is asked, in prompts and answers of very different lengths.
enum Prompts {
  static let stories = [
    "Tell me about the fox",
    "Tell me about the owl in one or two sentences",
    "Tell me about a hedgehog called Pip",
    "Tell me about the rain",
    "Tell me about the lighthouse in detail",
    "Tell me about a rainy day in the harbour",
    "Tell me about the violin",
    "Tell me about the fox and the owl",
    "Tell me about a baker called Anna",
    "Tell me about the oak",
  ]

  /// As many as asked for, the ten over and over.
  static func first(_ count: Int) -> [String] { (0..<count).map { stories[$0 % stories.count] } }
}
