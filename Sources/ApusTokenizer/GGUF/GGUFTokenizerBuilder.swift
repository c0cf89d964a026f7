/// Puts a tokenizer together from a GGUF file's vocabulary, every rule checked.
struct GGUFTokenizerBuilder {
  typealias Key = GGUFVocabulary.Key
  typealias TokenType = GGUFVocabulary.TokenType

  /// Bytes of all tokens that are looked for in a text: a thousand times what published files have.
  static let addedByteCountMax = 4 << 20

  let source: GGUFVocabulary
  /// By id.
  let types: [TokenType]

  init(_ source: GGUFVocabulary) throws(TokenizerFileProblem) {
    self.source = source
    let count = source.tokens.count
    guard (1...Vocabulary.idMax).contains(count) else {
      throw .invalidField(field: Key.tokens, expected: "1 to \(Vocabulary.idMax) tokens, not \(count)")
    }
    guard source.tokenTypes.count == count else {
      throw .invalidField(
        field: Key.types, expected: "one for each of the \(count) tokens, not \(source.tokenTypes.count)")
    }
    var types: [TokenType] = []
    types.reserveCapacity(count)
    for (id, number) in source.tokenTypes.enumerated() {
      guard let type = TokenType(rawValue: number) else {
        throw .invalidField(field: "\(Key.types)[\(id)]", expected: "a type from 1 to 6, not \(number)")
      }
      types.append(type)
    }
    self.types = types
  }

  func components() throws(TokenizerFileProblem) -> TokenizerComponents {
    try checkIDs()
    var components = TokenizerComponents()
    components.vocabulary = try vocabulary()
    components.added = try added()
    components.options.reserved = Set(
      types.indices.filter { types[$0] != .normal && types[$0] != .unused }.map(Int32.init))
    let addsBOS: Bool
    switch source.model {
    case .byteLevel(let name, let merges):
      let recipe = try ByteLevelRecipe(name)
      addsBOS = recipe.addsBOS
      try buildByteLevel(&components, recipe, merges)
    case .sentencePiece(let scores):
      addsBOS = true
      try buildSentencePiece(&components, scores)
    }
    if source.addsBOS ?? addsBOS {
      components.template.prefix = [try required(source.bosToken, Key.bos, "begins a text")]
    }
    if source.addsEOS ?? false {
      components.template.suffix = [try required(source.eosToken, Key.eos, "ends a text")]
    }
    return components
  }

  private func checkIDs() throws(TokenizerFileProblem) {
    let ids = [
      (Key.bos, source.bosToken), (Key.eos, source.eosToken), (Key.unknown, source.unknownToken),
      (Key.padding, source.paddingToken),
    ]
    for case (let key, let id?) in ids where !types.indices.contains(id) {
      throw .invalidField(field: key, expected: "an id below \(types.count), the number of tokens, not \(id)")
    }
  }

  private func required(_ id: Int?, _ key: String, _ use: String) throws(TokenizerFileProblem) -> Int32 {
    guard let id else { throw .invalidField(field: key, expected: "the id of the token that \(use)") }
    guard types[id] != .unused else { throw .invalidField(field: key, expected: "a token in use, not \(id)") }
    return Int32(id)
  }

  /// Every token but the unused, under its place in the list.
  private func vocabulary() throws(TokenizerFileProblem) -> Vocabulary {
    var vocabulary = Vocabulary()
    for (id, token) in source.tokens.enumerated() where types[id] != .unused {
      try vocabulary.append(Array(token.utf8), id: id)
    }
    do { try vocabulary.buildIndex() } catch {
      guard case .duplicateToken(let token) = error else { throw error }
      throw .invalidField(field: Key.tokens, expected: "each token once, not \(excerpt(token)) twice")
    }
    return vocabulary
  }

  /// The tokens that are looked for in a text.
  private func added() throws(TokenizerFileProblem) -> [AddedToken] {
    var byteCount = 0
    var added: [AddedToken] = []
    for (id, type) in types.enumerated() {
      guard type == .control || type == .userDefined || type == .unknown else { continue }
      let content = Array(source.tokens[id].utf8)
      byteCount += content.count
      guard byteCount <= Self.addedByteCountMax else {
        throw .invalidField(
          field: Key.tokens,
          expected: "at most \(Self.addedByteCountMax) bytes of control and user-defined tokens")
      }
      added.append(AddedToken(content: content, isSpecial: type != .userDefined))
    }
    return added
  }
}

// MARK: - Byte-level BPE

extension GGUFTokenizerBuilder {
  private func buildByteLevel(
    _ components: inout TokenizerComponents, _ recipe: ByteLevelRecipe, _ merges: [String]
  ) throws(TokenizerFileProblem) {
    if let id = types.firstIndex(of: .byte) {
      throw .invalidField(
        field: "\(Key.types)[\(id)]", expected: "no byte token, which is for other models than gpt2")
    }
    guard source.addsSpacePrefix != true else { throw .unsupported(field: Key.spacePrefix, value: "true") }
    components.normalizers = recipe.normalizers
    components.preTokenizers = recipe.preTokenizers
    if case .byteLevel? = recipe.preTokenizers.last { components.alphabet = .bytes }
    components.options.ignoresMerges = recipe.ignoresMerges
    components.decoder.joint = .byteLevel
    components.merges = try mergeTable(merges, components.vocabulary)
  }

  private func mergeTable(
    _ merges: [String], _ vocabulary: Vocabulary
  ) throws(TokenizerFileProblem) -> MergeTable {
    var table = MergeTable(count: merges.count)
    for (rank, merge) in merges.enumerated() {
      var bytes = Array(merge.utf8)
      guard let space = bytes.firstIndex(of: 0x20), bytes.lastIndex(of: 0x20) == space else {
        throw .invalidField(
          field: "\(Key.merges)[\(rank)]", expected: "two tokens and one space between, not \(excerpt(merge))"
        )
      }
      bytes.remove(at: space)
      let ids = try bytes.withUnsafeBufferPointer { (bytes) throws(TokenizerFileProblem) in
        let parts = [0..<space, space..<bytes.count, 0..<bytes.count]
        return try parts.map { (range) throws(TokenizerFileProblem) in
          let token = UnsafeBufferPointer(rebasing: bytes[range])
          guard let id = vocabulary.id(of: token) else {
            throw .invalidField(
              field: "\(Key.merges)[\(rank)]",
              expected: "parts and whole in \(Key.tokens), not \(excerpt(Array(token).text))")
          }
          return id
        }
      }
      table.set(ids[0], ids[1], MergeTable.Merge(rank: UInt32(rank), token: ids[2]))
    }
    return table
  }
}

// MARK: - SentencePiece's BPE

extension GGUFTokenizerBuilder {
  /// U+2581, which stands for a space.
  private static let space: [UInt8] = [0xE2, 0x96, 0x81]

  private func buildSentencePiece(
    _ components: inout TokenizerComponents, _ scores: [Float]
  ) throws(TokenizerFileProblem) {
    guard scores.count == types.count else {
      throw .invalidField(
        field: Key.scores, expected: "one for each of the \(types.count) tokens, not \(scores.count)")
    }
    if let id = scores.firstIndex(where: { !$0.isFinite }) {
      throw .invalidField(field: "\(Key.scores)[\(id)]", expected: "a finite number, not \(scores[id])")
    }
    let merges = try SentencePieceMerges(components.vocabulary, types, scores)
    for (id, type) in types.enumerated() where type == .unused {
      guard !merges.canMake(Array(source.tokens[id].utf8)) else {
        throw .unsupported(
          field: "\(Key.types)[\(id)]",
          value: "5, unused, of \(excerpt(source.tokens[id])), which merges make")
      }
    }
    components.merges = merges.table
    components.options.fragments = merges.fragments
    components.options.fallsBackToBytes = try hasByteTokens()
    components.options.fusesUnknown = true
    if let id = try unknownToken(isNeeded: !components.options.fallsBackToBytes) {
      components.options.unknownToken = components.vocabulary[id]
    }
    let prependsSpace = source.addsSpacePrefix ?? true
    if prependsSpace { components.normalizers.append(.prepend(Self.space)) }
    components.normalizers.append(.replace(try Pattern(literal: [0x20]), content: Self.space))
    components.decoder.tokenSteps = [
      .replace(try Pattern(literal: Self.space), content: [0x20]), .byteFallback,
    ]
    if prependsSpace { components.decoder.textSteps = [.strip(.init(content: [0x20], start: 1, stop: 0))] }
  }

  /// All 256 byte tokens or none, each spelled as its byte.
  private func hasByteTokens() throws(TokenizerFileProblem) -> Bool {
    var bytes: Set<UInt8> = []
    for (id, type) in types.enumerated() {
      let token = Array(source.tokens[id].utf8)
      let byte = DecoderState.byte(of: token)
      switch (type, byte) {
      case (.byte, let byte?) where BytePairModel.name(of: byte) == token: bytes.insert(byte)
      case (.byte, _):
        throw .invalidField(
          field: "\(Key.tokens)[\(id)]",
          expected: "a byte token as in <0x41>, not \(excerpt(source.tokens[id]))")
      case (.normal, .some):
        throw .invalidField(
          field: "\(Key.types)[\(id)]", expected: "6, a byte, for the token \(excerpt(source.tokens[id]))")
      default: break
      }
    }
    guard bytes.isEmpty || bytes.count == 256 else {
      throw .invalidField(field: Key.tokens, expected: "all 256 byte tokens or none, not \(bytes.count)")
    }
    return !bytes.isEmpty
  }

  /// The token of a character that is none: the one the key names, or the one of that type.
  private func unknownToken(isNeeded: Bool) throws(TokenizerFileProblem) -> Int? {
    if let id = source.unknownToken ?? types.firstIndex(of: .unknown), types[id] != .unused { return id }
    guard !isNeeded else {
      throw .invalidField(
        field: Key.unknown, expected: "the id of a token for unknown characters, without byte tokens")
    }
    return nil
  }
}
