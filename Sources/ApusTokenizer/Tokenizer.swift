public import Foundation

/// Turns text into token ids and back, as Hugging Face `tokenizers` does from the same `tokenizer.json`, and from
/// the vocabulary of a GGUF file as the tokenizer did that the file was made from.
///
/// Byte pair encoding only: byte-level (GPT-2, Qwen, Llama 3) and with byte fallback (Llama 2, Mistral). What
/// the file asks for and this type cannot do is an error on loading. The file's truncation and padding are
/// not applied.
public struct Tokenizer: Sendable {
  private final class Parts: Sendable {
    let normalizers: [Normalizer]
    let preTokenizers: [PreTokenizer]
    let model: BytePairModel
    let added: AddedVocabulary
    let decoder: Decoder
    let template: Template

    init(_ components: TokenizerComponents) throws(TokenizerFileProblem) {
      normalizers = components.normalizers
      preTokenizers = components.preTokenizers
      model = BytePairModel(
        components.vocabulary, components.merges, components.options, components.alphabet)
      decoder = components.decoder
      template = components.template
      added = try AddedVocabulary(components.added, vocabulary: components.vocabulary) {
        (content) throws(TokenizerFileProblem) in
        var text = content
        do {
          var isAtOrigin = true
          for normalizer in components.normalizers {
            try normalizer.apply(to: &text, isAtOrigin: &isAtOrigin)
          }
        } catch {
          throw .invalidField(field: "normalizer", expected: "to take the added token '\(content.text)'")
        }
        return text
      }
    }
  }

  private let parts: Parts

  /// The id of the token that begins a text, where `tokenizer_config.json` or a GGUF file names one.
  public private(set) var bosToken: Int32?
  /// The id of the token that ends a text, where `tokenizer_config.json` or a GGUF file names one.
  public private(set) var eosToken: Int32?

  /// Loads a `tokenizer.json` and, for `bosToken` and `eosToken` alone, a `tokenizer_config.json`.
  /// - Throws: `TokenizerError.invalidFile`.
  public init(tokenizerFile: URL, configurationFile: URL? = nil) throws(TokenizerError) {
    do {
      let bytes = try readFile(tokenizerFile, limit: TokenizerFile.bytesMax)
      parts = try Parts(try TokenizerFile(bytes).components)
    } catch {
      throw .invalidFile(path: tokenizerFile.path, problem: error)
    }
    guard let configurationFile else { return }
    do {
      let bytes = try readFile(configurationFile, limit: TokenizerFile.bytesMax)
      let configuration = try TokenizerConfiguration(bytes)
      bosToken = try configuration.bosToken.map { (token) throws(TokenizerFileProblem) in
        try requiredID(token, "bos_token")
      }
      eosToken = try configuration.eosToken.map { (token) throws(TokenizerFileProblem) in
        try requiredID(token, "eos_token")
      }
    } catch {
      throw .invalidFile(path: configurationFile.path, problem: error)
    }
  }

  init(
    _ components: TokenizerComponents, bosToken: Int32?, eosToken: Int32?
  ) throws(TokenizerFileProblem) {
    parts = try Parts(components)
    self.bosToken = bosToken
    self.eosToken = eosToken
  }

  /// Loads `tokenizer.json` and, where there is one, `tokenizer_config.json` from a model's folder.
  public init(folder: URL) throws(TokenizerError) {
    let configuration = folder.appending(path: "tokenizer_config.json")
    let exists = FileManager.default.fileExists(atPath: configuration.path)
    try self.init(
      tokenizerFile: folder.appending(path: "tokenizer.json"), configurationFile: exists ? configuration : nil
    )
  }

  private func requiredID(_ token: [UInt8], _ field: String) throws(TokenizerFileProblem) -> Int32 {
    guard let id = id(of: token) else {
      throw .invalidField(field: field, expected: "a token of the vocabulary, not '\(token.text)'")
    }
    return id
  }

  /// One more than the largest id. Ids need not be dense.
  public var vocabularySize: Int {
    max(parts.model.vocabulary.idLimit, parts.added.idLimit)
  }

  /// The id of a token, spelled as in the file.
  public func tokenID(for token: String) -> Int32? {
    id(of: Array(token.utf8))
  }

  private func id(of token: [UInt8]) -> Int32? {
    parts.added.id(of: token) ?? parts.model.vocabulary.id(of: token)
  }

  /// The token of an id, spelled as in the file.
  public func token(for id: Int32) -> String? {
    (parts.added.tokens[id]?.content ?? parts.model.vocabulary[Int(id)])?.text
  }

  /// Whether `decode(_:skipSpecialTokens: true)` leaves out this id.
  public func isSpecial(_ id: Int32) -> Bool {
    decodedForm(id).map { parts.added.isSpecial($0) } ?? false
  }

  private func decodedForm(_ id: Int32) -> [UInt8]? {
    parts.added.decodedForm(id) ?? parts.model.vocabulary[Int(id)]
  }
}

// MARK: - Encoding

extension Tokenizer {
  /// Memory that the words of one text share.
  private struct Work {
    var merger: BytePairMerger
    var cache: WordCache
  }

  /// The ids of a text.
  /// - Parameters:
  ///   - addSpecialTokens: whether to put what the file's post-processor says (such as `<s>`) around the
  ///   text.
  ///   - parseSpecialTokens: whether special tokens that the text spells out become their ids. Without it
  ///   they
  ///     are ordinary text: for text that a stranger wrote.
  /// - Throws: `.patternTooCostly`, `.unknownTokenMissing`.
  public func encode(
    _ text: String, addSpecialTokens: Bool = true, parseSpecialTokens: Bool = true
  ) throws(TokenizerError) -> [Int32] {
    let bytes = Array(text.utf8)
    var ids = addSpecialTokens ? parts.template.prefix : []
    var work = Work(merger: BytePairMerger(), cache: WordCache(textByteCount: bytes.count))
    try bytes.withUnsafeBufferPointer { (text) throws(TokenizerError) in
      let segments = parts.added.segments(of: text, normalized: false, skippingSpecial: !parseSpecialTokens)
      for segment in segments {
        if let id = segment.id {
          ids.append(id)
        } else {
          try encodeSegment(
            Array(text[segment.range]), isAtOrigin: segment.range.lowerBound == 0,
            skippingSpecial: !parseSpecialTokens, &work, &ids)
        }
      }
    }
    if addSpecialTokens { ids += parts.template.suffix }
    return ids
  }

  /// Normalizes text between added tokens, and finds those that are looked for in normalized text.
  private func encodeSegment(
    _ segment: [UInt8], isAtOrigin: Bool, skippingSpecial: Bool, _ work: inout Work, _ ids: inout [Int32]
  ) throws(TokenizerError) {
    var text = segment
    var isAtOrigin = isAtOrigin
    for normalizer in parts.normalizers { try normalizer.apply(to: &text, isAtOrigin: &isAtOrigin) }
    try text.withUnsafeBufferPointer { (text) throws(TokenizerError) in
      let segments = parts.added.segments(of: text, normalized: true, skippingSpecial: skippingSpecial)
      for segment in segments {
        if let id = segment.id {
          ids.append(id)
        } else {
          let isAtOrigin = isAtOrigin && segment.range.lowerBound == 0
          try encodeText(Array(text[segment.range]), isAtOrigin: isAtOrigin, &work, &ids)
        }
      }
    }
  }

  private func encodeText(
    _ text: [UInt8], isAtOrigin: Bool, _ work: inout Work, _ ids: inout [Int32]
  ) throws(TokenizerError) {
    var list = PieceList(text, isAtOrigin: isAtOrigin)
    for preTokenizer in parts.preTokenizers { try preTokenizer.apply(to: &list) }
    try list.bytes.withUnsafeBufferPointer { (bytes) throws(TokenizerError) in
      for piece in list.pieces {
        let word = UnsafeBufferPointer(rebasing: bytes[piece.range])
        try parts.model.encode(word, &work.merger, &work.cache, into: &ids)
      }
    }
  }
}

// MARK: - Decoding

extension Tokenizer {
  /// The text of some ids. What is no valid UTF-8 becomes U+FFFD.
  /// - Throws: `.unknownID`.
  public func decode(_ ids: [Int32], skipSpecialTokens: Bool = false) throws(TokenizerError) -> String {
    try decode(ids, skipSpecialTokens: skipSpecialTokens, keepsBytes: false).text
  }

  /// The bytes of some ids: as `decode(_:skipSpecialTokens:)`, but bytes that are no valid UTF-8 stay.
  /// - Throws: `.unknownID`.
  public func decodeBytes(_ ids: [Int32], skipSpecialTokens: Bool = false) throws(TokenizerError) -> [UInt8] {
    try decode(ids, skipSpecialTokens: skipSpecialTokens, keepsBytes: true)
  }

  private func decode(
    _ ids: [Int32], skipSpecialTokens: Bool, keepsBytes: Bool
  ) throws(TokenizerError) -> [UInt8] {
    var state = decoderState(keepsBytes: keepsBytes)
    var text: [UInt8] = []
    for id in ids {
      try decode(id, skipSpecialTokens: skipSpecialTokens, &state, into: &text)
    }
    try state.finish(to: &text)
    return text
  }

  /// The bytes that a token adds in the middle of a text, a part of a character where it spells one; nil for special
  /// tokens and ids without a token, which add none. Where decoding looks across tokens, as a replacement in the joined
  /// text may, this is what the token gives alone.
  public func bytes(of id: Int32) -> [UInt8]? {
    guard let token = decodedForm(id), !parts.added.isSpecial(token) else { return nil }
    return try? DecoderState.bytes(of: token, parts.decoder)
  }

  func decoderState(keepsBytes: Bool) -> DecoderState {
    DecoderState(parts.decoder, keepsBytes: keepsBytes)
  }

  func decode(
    _ id: Int32, skipSpecialTokens: Bool, _ state: inout DecoderState, into text: inout [UInt8]
  ) throws(TokenizerError) {
    guard let token = decodedForm(id) else { throw .unknownID(id, vocabularySize: vocabularySize) }
    if skipSpecialTokens, parts.added.isSpecial(token) { return }
    try state.append(token, to: &text)
  }
}
