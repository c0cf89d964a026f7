/// What a name in `tokenizer.ggml.pre` stands for: all that a `tokenizer.json` says beside vocabulary and merges.
///
/// The format's writer names a tokenizer by what it makes of a sample text; each name here is that of a published
/// `tokenizer.json`, whose components these are. A name that is not here is refused: with another's cuts a model
/// would be fed tokens it was not trained on.
struct ByteLevelRecipe {
  var normalizers: [Normalizer] = []
  var preTokenizers: [PreTokenizer]
  /// A word that is a token becomes it, whatever the merges say.
  var ignoresMerges = false
  /// Whether a text begins with the token for that where the file does not say.
  var addsBOS = false

  init(_ name: String) throws(TokenizerFileProblem) {
    switch name {
    case "gpt-2", "default":
      preTokenizers = [try Self.gpt2()]
    case "mpt":
      normalizers = [.unicode(UnicodeNormalization(.nfc))]
      preTokenizers = [try Self.gpt2()]
    case "qwen2":
      normalizers = [.unicode(UnicodeNormalization(.nfc))]
      preTokenizers = [try Self.split(Self.cl100k(digits: #"\p{N}"#)), Self.bytes]
    case "llama-bpe", "llama3", "llama-v3":
      preTokenizers = [try Self.split(Self.cl100k(digits: #"\p{N}{1,3}"#)), Self.bytes]
      ignoresMerges = true
      addsBOS = true
    case "tekken":
      preTokenizers = [try Self.split(Self.tekken), Self.bytes]
      ignoresMerges = true
      addsBOS = true
    case "starcoder", "refact", "smollm":
      preTokenizers = [
        .split(Splitter(scalars: CharacterClasses.shared.numeric, .isolated)), try Self.gpt2(),
      ]
    case "deepseek-coder":
      preTokenizers = try Self.deepSeekCoder()
    case "falcon":
      preTokenizers = try Self.falcon()
    default:
      throw .unsupported(
        field: GGUFVocabulary.Key.pre,
        value: "\(excerpt(name)) (supported are \(Self.names.joined(separator: ", ")))")
    }
  }

  /// Every name that is known, by family.
  static let names = [
    "default", "gpt-2", "mpt", "qwen2", "llama-bpe", "llama3", "llama-v3", "tekken", "starcoder", "refact",
    "smollm", "deepseek-coder", "falcon",
  ]
}

// MARK: - Components

extension ByteLevelRecipe {
  private static let bytes = PreTokenizer.byteLevel(addsPrefixSpace: false, pattern: nil, spells: false)

  private static func gpt2(spells: Bool = false) throws(TokenizerFileProblem) -> PreTokenizer {
    .byteLevel(
      addsPrefixSpace: false, pattern: try Pattern(ComponentParsing.byteLevelPattern), spells: spells)
  }

  private static func split(_ pattern: String) throws(TokenizerFileProblem) -> PreTokenizer {
    .split(Splitter(.pattern(try Pattern(pattern)), .isolated))
  }

  /// The pattern that OpenAI's cl100k, Qwen and Llama 3 share but for how many digits make a word.
  private static func cl100k(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\#(digits)| ?[^\s\p{L}\p{N}]+[\r\n]*"#
      + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  /// Mistral's: words end where lower case turns into upper.
  private static let tekken =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
    + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
    + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private static func deepSeekCoder() throws(TokenizerFileProblem) -> [PreTokenizer] {
    let patterns = [
      #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[\u{4E00}-\u{9FA5}\u{0800}-\u{4E00}\u{AC00}-\u{D7FF}]+",
    ]
    var steps = try patterns.map { (pattern) throws(TokenizerFileProblem) in try split(pattern) }
    steps.append(.split(Splitter(scalars: CharacterClasses.shared.numeric, .isolated)))
    return steps + [bytes]
  }

  private static func falcon() throws(TokenizerFileProblem) -> [PreTokenizer] {
    [
      .split(Splitter(scalars: CharacterClasses.shared.punctuation, .contiguous)),
      try gpt2(spells: true),
      .split(Splitter(scalars: CharacterClasses.shared.numeric, .contiguous)),
      try split("[0-9][0-9][0-9]"),
    ]
  }
}
