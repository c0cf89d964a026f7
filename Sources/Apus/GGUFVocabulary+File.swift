public import ApusCheckpoint
import ApusModel
public import ApusTokenizer

extension GGUFVocabulary {
  /// Reads the tokenizer's keys of a GGUF file; nil where the file has no tokenizer.
  ///
  /// Settings that change the tokens in a way the engine does not run are refused.
  /// - Throws: `LanguageModelError` naming file, key and value.
  public init?(_ file: GGUFFile) throws(LanguageModelError) {
    let reader = GGUFVocabularyReader(metadata: file.metadata)
    guard file.metadata.has(reader.prefix + "model") else { return nil }
    self = try reader.vocabulary()
  }
}

extension Tokenizer {
  /// The tokenizer of a GGUF file; nil where the file has none.
  /// - Throws: `LanguageModelError` naming file, key and value.
  public init?(gguf file: GGUFFile) throws(LanguageModelError) {
    guard let vocabulary = try GGUFVocabulary(file) else { return nil }
    do { try self.init(vocabulary) } catch { throw .tokenizer(error) }
  }
}

/// One pass over the tokenizer's keys.
private struct GGUFVocabularyReader {
  let metadata: GGUFMetadata
  let prefix = "tokenizer.ggml."

  func vocabulary() throws(LanguageModelError) -> GGUFVocabulary {
    let name = try value("model", metadata.string)
    try refuseUnsupportedSettings()
    let tokens = try required("tokens", "an array of strings", metadata.stringsIfPresent)
    let model: GGUFVocabulary.Model
    switch name {
    case "gpt2":
      model = .byteLevel(
        preTokenizer: try value("pre", metadata.string),
        merges: try required("merges", "an array of strings", metadata.stringsIfPresent))
    case "llama":
      model = .sentencePiece(
        scores: try required("scores", "an array of numbers", metadata.floatsIfPresent))
    default:
      throw unsupported("model", "\(quoted(name)) (supported are gpt2, llama)")
    }
    return GGUFVocabulary(
      path: metadata.path, model: model, tokens: tokens,
      tokenTypes: try required("token_type", "an array of integers", metadata.integersIfPresent),
      bosToken: try id("bos_token_id"), eosToken: try id("eos_token_id"),
      unknownToken: try id("unknown_token_id"), paddingToken: try id("padding_token_id"),
      addsBOS: try value("add_bos_token", metadata.booleanIfPresent),
      addsEOS: try value("add_eos_token", metadata.booleanIfPresent),
      addsSpacePrefix: try value("add_space_prefix", metadata.booleanIfPresent))
  }

  /// Of SentencePiece's normalizers and of pairs of texts the engine has none.
  private func refuseUnsupportedSettings() throws(LanguageModelError) {
    for name in ["remove_extra_whitespaces", "add_sep_token"]
    where try value(name, metadata.booleanIfPresent) == true {
      throw unsupported(name, "true")
    }
    let charsmap = "precompiled_charsmap"
    guard !metadata.has(prefix + charsmap) else {
      throw unsupported(charsmap, metadata.summary(prefix + charsmap))
    }
  }

  private func id(_ name: String) throws(LanguageModelError) -> Int? {
    try value(name) { (key) throws(CheckpointError) in
      try metadata.integerIfPresent(key, in: 0...Int(Int32.max))
    }
  }

  private func required<Value>(
    _ name: String, _ expected: String, _ get: (String) throws(CheckpointError) -> Value?
  ) throws(LanguageModelError) -> Value {
    guard let value = try value(name, get) else {
      throw .model(.checkpoint(metadata.invalid(prefix + name, expected: expected)))
    }
    return value
  }

  private func value<Value>(
    _ name: String, _ get: (String) throws(CheckpointError) -> Value
  ) throws(LanguageModelError) -> Value {
    do { return try get(prefix + name) } catch { throw .model(.checkpoint(error)) }
  }

  private func unsupported(_ name: String, _ value: String) -> LanguageModelError {
    .tokenizer(.invalidFile(path: metadata.path, problem: .unsupported(field: prefix + name, value: value)))
  }
}
