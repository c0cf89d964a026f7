/// Why a tokenizer could not be loaded or used.
public enum TokenizerError: Error, Equatable, Sendable {
  /// The file at `path` cannot be used.
  case invalidFile(path: String, problem: TokenizerFileProblem)
  /// No token has this id; ids are in `0..<vocabularySize`.
  case unknownID(Int32, vocabularySize: Int)
  /// The text holds a character without a token, and the model's `unk_token` is not in its vocabulary.
  case unknownTokenMissing(String)
  /// A regular expression of the file took more steps on this text than any sensible one does.
  case patternTooCostly(pattern: String)
}

/// What is wrong with a `tokenizer.json`, a `tokenizer_config.json` or the tokenizer of a GGUF file.
public enum TokenizerFileProblem: Error, Equatable, Sendable {
  case unreadable(reason: String)
  case tooLarge(bytes: Int, limit: Int)
  case malformedJSON(offset: Int, reason: String)
  case invalidField(field: String, expected: String)
  /// A component or setting that exists in the format but not here. Never run with it left out.
  case unsupported(field: String, value: String)
  case invalidPattern(pattern: String, reason: String)
  case mergeOutOfVocabulary(merge: Int, token: String)
  case duplicateToken(String)
  case duplicateID(Int)
}

extension TokenizerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidFile(let path, let problem): "\(path): \(problem)"
    case .unknownID(let id, let size): "no token has the id \(id): the vocabulary has ids 0..<\(size)"
    case .unknownTokenMissing(let token): "the text needs the unknown token '\(token)', which has no id"
    case .patternTooCostly(let pattern): "the pattern '\(pattern)' takes too many steps on this text"
    }
  }
}

extension TokenizerFileProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let reason): "cannot be read: \(reason)"
    case .tooLarge(let bytes, let limit): "\(bytes) bytes, at most \(limit) are accepted"
    case .malformedJSON(let offset, let reason): "not JSON at byte \(offset): \(reason)"
    case .invalidField(let field, let expected): "\(field): expected \(expected)"
    case .unsupported(let field, let value): "\(field): \(value) is not supported"
    case .invalidPattern(let pattern, let reason): "pattern '\(pattern)': \(reason)"
    case .mergeOutOfVocabulary(let merge, let token):
      "model.merges[\(merge)]: '\(token)' is not in model.vocab"
    case .duplicateToken(let token): "the token '\(token)' occurs twice"
    case .duplicateID(let id): "two tokens have the id \(id)"
    }
  }
}
