/// The model of a byte pair encoding: words to ids.
struct BytePairModel: Sendable {
  /// What a character that is no token becomes.
  private enum Missing {
    case tokens([Int32])
    case unknown
  }

  /// How a word reaches the model.
  enum Alphabet: Sendable {
    /// As bytes, which the vocabulary spells in the stand-ins of `ByteAlphabet`.
    case bytes
    /// As scalars.
    case scalars
  }

  let vocabulary: Vocabulary
  private let merges: MergeTable
  private let alphabet: Alphabet
  private let options: BytePairOptions
  private let unknown: Int32?
  /// `<0x00>` to `<0xFF>`; -1 where the vocabulary lacks one.
  private let byteTokens: [Int32]
  /// For `Alphabet.bytes` all bytes, for `Alphabet.scalars` those below 0x80; -1 where the vocabulary lacks
  /// it.
  private let singles: [Int32]
  /// One more than the largest id: the first of `BytePairOptions.fragments`.
  private let fragmentStart: Int32
  private let fragmentScalars: [UInt32]

  init(_ vocabulary: Vocabulary, _ merges: MergeTable, _ options: BytePairOptions, _ alphabet: Alphabet) {
    self.vocabulary = vocabulary
    self.merges = merges
    self.options = options
    self.alphabet = alphabet
    unknown = options.unknownToken.flatMap { vocabulary.id(of: $0) }
    byteTokens = (0..<256).map { vocabulary.id(of: Self.name(of: UInt8($0))) ?? -1 }
    fragmentStart = Int32(vocabulary.idLimit)
    fragmentScalars = options.fragments.sorted { $0.value < $1.value }.map(\.key)
    singles = (0..<256).map { byte in
      let name: [UInt8]
      switch alphabet {
      case .bytes: name = ByteAlphabet.shared.spelled([UInt8(byte)])
      case .scalars:
        guard byte < 0x80 else { return -1 }
        name = [UInt8(byte)]
      }
      if let id = vocabulary.id(of: name), !options.reserved.contains(id) { return id }
      return alphabet == .scalars ? options.fragments[UInt32(byte)] ?? -1 : -1
    }
  }

  /// How a byte token is spelled: `<0x41>`.
  static func name(of byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]] + Array(">".utf8)
  }

  /// Appends the ids of one word, which is not empty.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, _ merger: inout BytePairMerger, _ cache: inout WordCache,
    into ids: inout [Int32]
  ) throws(TokenizerError) {
    guard let place = cache.place(of: word) else { return try encode(word, &merger, into: &ids) }
    if cache.appendIDs(at: place, to: &ids) { return }
    let start = ids.count
    try encode(word, &merger, into: &ids)
    cache.store(ids[start...], at: place)
  }

  private func encode(
    _ word: UnsafeBufferPointer<UInt8>, _ merger: inout BytePairMerger, into ids: inout [Int32]
  ) throws(TokenizerError) {
    if options.ignoresMerges, let id = wholeWord(word), !options.reserved.contains(id) {
      ids.append(id)
      return
    }
    merger.symbols.removeAll(keepingCapacity: true)
    switch alphabet {
    case .bytes: try appendBytes(word, &merger.symbols)
    case .scalars: try appendScalars(word, &merger.symbols)
    }
    merger.merge(merges)
    if !options.fragments.isEmpty { try resolveFragments(&merger.symbols) }
    ids.append(contentsOf: merger.symbols)
  }

  private func wholeWord(_ word: UnsafeBufferPointer<UInt8>) -> Int32? {
    switch alphabet {
    case .bytes: vocabulary.id(of: ByteAlphabet.shared.spelled(word))
    case .scalars: vocabulary.id(of: word)
    }
  }

  private func appendBytes(
    _ word: UnsafeBufferPointer<UInt8>, _ symbols: inout [Int32]
  ) throws(TokenizerError) {
    var pending = 0
    for byte in word {
      let id = singles[Int(byte)]
      if id >= 0 {
        flush(&pending, &symbols)
        symbols.append(id)
      } else {
        let spelled = ByteAlphabet.shared.spelled([byte])
        try spelled.withUnsafeBufferPointer { (text) throws(TokenizerError) in
          try appendMissing(text, &pending, &symbols)
        }
      }
    }
    flush(&pending, &symbols)
  }

  private func appendScalars(
    _ word: UnsafeBufferPointer<UInt8>, _ symbols: inout [Int32]
  ) throws(TokenizerError) {
    var pending = 0
    var position = 0
    while position < word.count {
      let (scalar, length) = decodeScalar(word, position)
      let character = UnsafeBufferPointer(rebasing: word[position..<position + length])
      let id = scalar < 0x80 ? singles[Int(scalar)] : single(scalar, character)
      if id >= 0 {
        flush(&pending, &symbols)
        symbols.append(id)
      } else {
        try appendMissing(character, &pending, &symbols)
      }
      position += length
    }
    flush(&pending, &symbols)
  }

  @inline(__always)
  private func single(_ scalar: UInt32, _ character: UnsafeBufferPointer<UInt8>) -> Int32 {
    if let id = vocabulary.id(of: character), options.reserved.isEmpty || !options.reserved.contains(id) {
      return id
    }
    return options.fragments.isEmpty ? -1 : options.fragments[scalar] ?? -1
  }

  /// Puts what a missing character becomes into the place of the fragments that no merge has taken.
  private func resolveFragments(_ symbols: inout [Int32]) throws(TokenizerError) {
    guard symbols.contains(where: { $0 >= fragmentStart }) else { return }
    var resolved: [Int32] = []
    var pending = 0
    for symbol in symbols {
      if symbol >= fragmentStart {
        let character = [UInt8](scalars: [fragmentScalars[Int(symbol - fragmentStart)]])
        try character.withUnsafeBufferPointer { (character) throws(TokenizerError) in
          try appendMissing(character, &pending, &resolved)
        }
      } else if symbol == unknown, options.fusesUnknown {
        pending = 1
      } else {
        flush(&pending, &resolved)
        resolved.append(symbol)
      }
    }
    flush(&pending, &resolved)
    symbols = resolved
  }

  /// Byte tokens where all are there, else the unknown token, else nothing.
  ///
  /// As in the reference an unknown token waits for the next known character: fused ones become one, and byte
  /// tokens go ahead of it.
  private func appendMissing(
    _ character: UnsafeBufferPointer<UInt8>, _ pending: inout Int, _ symbols: inout [Int32]
  ) throws(TokenizerError) {
    if options.fallsBackToBytes, character.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
      for byte in character { symbols.append(byteTokens[Int(byte)]) }
      return
    }
    guard let token = options.unknownToken else { return }
    guard unknown != nil else { throw .unknownTokenMissing(token.text) }
    if pending > 0, !options.fusesUnknown { flush(&pending, &symbols) }
    pending = 1
  }

  private func flush(_ pending: inout Int, _ symbols: inout [Int32]) {
    if pending > 0, let unknown { symbols.append(unknown) }
    pending = 0
  }
}

/// The settings of a byte pair model.
struct BytePairOptions: Sendable {
  var unknownToken: [UInt8]?
  /// Characters without a token become tokens of their bytes.
  var fallsBackToBytes = false
  /// A run of unknown characters becomes one unknown token.
  var fusesUnknown = false
  /// A word that is a token becomes that token, whatever the merges say.
  var ignoresMerges = false
  /// Tokens that ordinary text never becomes, though it be spelled like them, but by a merge that names them.
  var reserved: Set<Int32> = []
  /// Characters that are no token, but a part of one that merges make: by scalar, with ids from the vocabulary's
  /// `idLimit` on, each once. They take part in merges; what is left of them is a missing character.
  var fragments: [UInt32: Int32] = [:]
}
