/// What the metadata of a GGUF file says of a tokenizer, in plain values.
///
/// Types are right when a value is made; everything else is checked by `Tokenizer.init(_:)`.
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, "Tokenizer".
public struct GGUFVocabulary: Sendable {
  /// `tokenizer.ggml.model`, with what only that kind of model has.
  public enum Model: Sendable {
    /// `gpt2`: byte-level BPE. `preTokenizer` is `tokenizer.ggml.pre`; a merge is two tokens and a space between.
    case byteLevel(preTokenizer: String, merges: [String])
    /// `llama`: SentencePiece's BPE. One score a token; the pair that gives the token of the highest merges first.
    case sentencePiece(scores: [Float])
  }

  /// The file, as errors name it.
  public var path: String
  public var model: Model
  /// By id.
  public var tokens: [String]
  /// One a token, with the numbers the format gives them: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused,
  /// 6 byte.
  public var tokenTypes: [Int]
  public var bosToken: Int?
  public var eosToken: Int?
  public var unknownToken: Int?
  public var paddingToken: Int?
  /// Whether `bosToken` comes before a text; nil for what is usual of the model.
  public var addsBOS: Bool?
  /// Whether `eosToken` comes after a text; nil for no.
  public var addsEOS: Bool?
  /// Whether a text gets a space before it; nil for what is usual of the model.
  public var addsSpacePrefix: Bool?

  public init(
    path: String, model: Model, tokens: [String], tokenTypes: [Int], bosToken: Int? = nil,
    eosToken: Int? = nil,
    unknownToken: Int? = nil, paddingToken: Int? = nil, addsBOS: Bool? = nil, addsEOS: Bool? = nil,
    addsSpacePrefix: Bool? = nil
  ) {
    self.path = path
    self.model = model
    self.tokens = tokens
    self.tokenTypes = tokenTypes
    self.bosToken = bosToken
    self.eosToken = eosToken
    self.unknownToken = unknownToken
    self.paddingToken = paddingToken
    self.addsBOS = addsBOS
    self.addsEOS = addsEOS
    self.addsSpacePrefix = addsSpacePrefix
  }
}

extension GGUFVocabulary {
  /// The metadata's keys, as errors name them.
  enum Key {
    static let pre = "tokenizer.ggml.pre"
    static let tokens = "tokenizer.ggml.tokens"
    static let types = "tokenizer.ggml.token_type"
    static let scores = "tokenizer.ggml.scores"
    static let merges = "tokenizer.ggml.merges"
    static let bos = "tokenizer.ggml.bos_token_id"
    static let eos = "tokenizer.ggml.eos_token_id"
    static let unknown = "tokenizer.ggml.unknown_token_id"
    static let padding = "tokenizer.ggml.padding_token_id"
    static let spacePrefix = "tokenizer.ggml.add_space_prefix"
  }

  enum TokenType: Int {
    case normal = 1
    case unknown = 2
    /// Found in a text where it spells them out; no text of its own.
    case control = 3
    /// Found in a text, before anything else is done to it.
    case userDefined = 4
    /// Fills up the rows of the embedding: never made, no text.
    case unused = 5
    /// `<0x41>`: a byte of a character that is no token.
    case byte = 6
  }
}

extension Tokenizer {
  /// Makes the tokenizer of a GGUF file.
  ///
  /// The format keeps less than a `tokenizer.json`. Normalization and pre-tokenizer of a byte-level model follow from
  /// the name in `tokenizer.ggml.pre`; flags of added tokens (such as taking the white space beside them) are not
  /// there; unused tokens have no text.
  /// - Throws: `TokenizerError.invalidFile`, naming key and value.
  public init(_ vocabulary: GGUFVocabulary) throws(TokenizerError) {
    do {
      try self.init(
        try GGUFTokenizerBuilder(vocabulary).components(), bosToken: vocabulary.bosToken.map(Int32.init),
        eosToken: vocabulary.eosToken.map(Int32.init))
    } catch {
      throw .invalidFile(path: vocabulary.path, problem: error)
    }
  }
}

/// The first characters of a text from a file, for an error message.
func excerpt(_ text: some StringProtocol) -> String {
  let scalars = text.unicodeScalars.prefix(40)
  let isWhole = scalars.endIndex == text.unicodeScalars.endIndex
  return "'\(String(String.UnicodeScalarView(scalars)))\(isWhole ? "" : "...")'"
}
