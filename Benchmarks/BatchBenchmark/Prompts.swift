/// What the embedded model is asked, in prompts and answers of very different lengths.
enum Prompts {
  static let stories = [
    "Tell me about the fox",
    "Tell me about the owl in one or two sentences",
    "Tell me a story about a hedgehog called Pip",
    "Tell me about the rain",
    "Tell me about the lighthouse in detail, and about who lives there",
    "Tell me about the baker",
    "Tell me about the violin",
    "Tell me about the fox and the owl",
    "Please tell me a story about the old fisherman and the sea, the harbour and the village",
    "Tell me briefly about the oak",
  ]

  /// As many as asked for, the ten over and over.
  static func first(_ count: Int) -> [String] { (0..<count).map { stories[$0 % stories.count] } }
}
