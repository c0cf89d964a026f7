/// The merges of a SentencePiece BPE model, which lists none: any two neighbours whose text together is a token
/// may merge, the pair with the highest score of that token first, the leftmost among equals.
///
/// Source: src/bpe_model.cc in google/sentencepiece.
struct SentencePieceMerges {
  private typealias Bytes = UnsafeBufferPointer<UInt8>

  private struct Pair {
    var left: Int32
    var right: Int32
    var token: Int32
  }

  /// Bytes of one token that merges can make; what SentencePiece trains has at most 64 unless told otherwise.
  static let tokenByteCountMax = 512
  /// Some times what the largest published vocabularies give.
  static let pairCountMax = 1 << 22

  private(set) var table = MergeTable(count: 0)
  /// See `BytePairOptions.fragments`.
  private(set) var fragments: [UInt32: Int32] = [:]

  private let vocabulary: Vocabulary
  private let types: [GGUFVocabulary.TokenType]
  private var pairs: [Pair] = []

  init(
    _ vocabulary: Vocabulary, _ types: [GGUFVocabulary.TokenType], _ scores: [Float]
  ) throws(TokenizerFileProblem) {
    self.vocabulary = vocabulary
    self.types = types
    let pieces = types.indices.filter { types[$0] == .normal }
    for id in pieces { try addFragments(of: id) }
    for id in pieces { try addPairs(of: id) }
    let ranks = Self.ranks(pairs.map { scores[Int($0.token)] })
    table = MergeTable(count: pairs.count)
    for pair in pairs {
      table.set(
        pair.left, pair.right,
        MergeTable.Merge(rank: ranks[scores[Int(pair.token)]] ?? .max, token: pair.token))
    }
    pairs = []
  }

  /// The place of each score, highest first; equal scores share one.
  private static func ranks(_ scores: [Float]) -> [Float: UInt32] {
    var ranks: [Float: UInt32] = [:]
    for score in Set(scores).sorted(by: >) { ranks[score] = UInt32(ranks.count) }
    return ranks
  }

  /// The characters of a token that are no tokens themselves: they merge all the same.
  private mutating func addFragments(of id: Int) throws(TokenizerFileProblem) {
    guard let token = vocabulary[id] else { return }
    guard token.count <= Self.tokenByteCountMax else {
      throw .invalidField(
        field: "\(GGUFVocabulary.Key.tokens)[\(id)]",
        expected: "at most \(Self.tokenByteCountMax) bytes, not \(token.count)")
    }
    for scalar in token.scalars where fragments[scalar] == nil {
      let isPiece = [UInt8](scalars: [scalar]).withUnsafeBufferPointer { piece($0) != nil }
      if !isPiece { fragments[scalar] = Int32(vocabulary.idLimit + fragments.count) }
    }
  }

  /// Whether the text would come about from characters and tokens, were it a token: SentencePiece makes unused
  /// tokens too, to take them apart again in the end.
  func canMake(_ text: [UInt8]) -> Bool {
    guard text.count <= Self.tokenByteCountMax else { return false }
    if text.scalars.count == 1 { return true }
    return text.withUnsafeBufferPointer { text in
      text.indices.dropFirst().contains { cut in
        guard text[cut] & 0xC0 != 0x80 else { return false }
        let parts = [Bytes(rebasing: text[..<cut]), Bytes(rebasing: text[cut...])]
        return parts.allSatisfy { piece($0) != nil || decodeScalar($0, 0).length == $0.count }
      }
    }
  }

  /// Every way to make a token from two.
  private mutating func addPairs(of id: Int) throws(TokenizerFileProblem) {
    guard let token = vocabulary[id] else { return }
    token.withUnsafeBufferPointer { token in
      for cut in token.indices.dropFirst() where token[cut] & 0xC0 != 0x80 {
        guard let left = part(Bytes(rebasing: token[..<cut])),
          let right = part(Bytes(rebasing: token[cut...]))
        else { continue }
        pairs.append(Pair(left: left, right: right, token: Int32(id)))
      }
    }
    guard pairs.count <= Self.pairCountMax else {
      throw .invalidField(
        field: GGUFVocabulary.Key.tokens, expected: "tokens that at most \(Self.pairCountMax) pairs give")
    }
  }

  private func piece(_ text: Bytes) -> Int32? {
    guard let id = vocabulary.id(of: text), types[Int(id)] == .normal else { return nil }
    return id
  }

  private func part(_ text: Bytes) -> Int32? {
    if let id = piece(text) { return id }
    let (scalar, length) = decodeScalar(text, 0)
    return length == text.count ? fragments[scalar] : nil
  }
}
