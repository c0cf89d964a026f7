/// What a model's tokens spell: the bytes of each, as they stand in the middle of a text, and which ones end
/// a text.
///
/// Tokens lie in a tree of their bytes, so that one walk over an automaton tells which may come. Immutable;
/// made once for a model and shared.
public final class TokenVocabulary: Sendable {
  /// Bytes of a token, at most: longer ones never come.
  public static let tokenBytesMax = 512

  /// Tokens of the model.
  public let size: Int
  /// Those that end a text.
  public let eosTokenIDs: [Int32]
  let trie: TokenTrie
  /// `[256]`: bytes that are a token by themselves: what consists of them can be spelled from every place,
  /// which is what keeps constraints from dead ends.
  let alphabet: [Bool]

  /// - Parameters:
  ///   - size: tokens of the model; ids from 0.
  ///   - eosTokenIDs: tokens that end a text. Their bytes are not asked for. Those outside the model never
  /// come.
  ///   - bytes: what a token adds to a text; nil or nothing for tokens that may not be part of one, such as
  /// those
  ///     that steer a conversation.
  public init(size: Int, eosTokenIDs: [Int32], bytes: (Int32) -> [UInt8]?) {
    precondition(size > 0 && size <= Int(Int32.max), "a vocabulary of \(size) tokens")
    self.size = size
    self.eosTokenIDs = eosTokenIDs.filter { $0 >= 0 && Int($0) < size }
    let ending = Set(eosTokenIDs)
    var spelled: [(id: Int32, bytes: [UInt8])] = []
    for id in 0..<Int32(size) where !ending.contains(id) {
      guard let bytes = bytes(id), !bytes.isEmpty, bytes.count <= Self.tokenBytesMax else { continue }
      spelled.append((id, bytes))
    }
    trie = TokenTrie(spelled)
    var alphabet = Array(repeating: false, count: 256)
    for token in spelled where token.bytes.count == 1 { alphabet[Int(token.bytes[0])] = true }
    self.alphabet = alphabet
  }

  /// The token's bytes; nil for those that no text is made of.
  func bytes(of token: Int32) -> ArraySlice<UInt8>? { trie.bytes(of: token) }
}
