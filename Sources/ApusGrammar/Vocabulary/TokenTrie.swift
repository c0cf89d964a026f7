/// Tokens by their bytes: nodes in the order of a walk that visits a node before those below it, so that a
/// walk is a loop, and what a byte rules out is skipped by one jump.
struct TokenTrie: Sendable {
  /// By node, of which the root is none: the byte that leads there.
  let bytes: [UInt8]
  /// Bytes on the way, this one included.
  let depths: [UInt16]
  /// The first node that is not below.
  let ends: [Int32]
  /// By node, and one more: where its tokens are in `tokens`.
  let tokenStarts: [Int32]
  let tokens: [Int32]
  let depthMax: Int
  /// Brackets of one token, at most.
  let openingsMax: Int
  /// By id, and one more: where its bytes are in `spelling`.
  private let spellingStarts: [Int32]
  private let spelling: [UInt8]

  init(_ spelled: [(id: Int32, bytes: [UInt8])]) {
    let order = spelled.indices.sorted { left, right in
      spelled[left].bytes.withUnsafeBufferPointer { left in
        spelled[right].bytes.withUnsafeBufferPointer { left.lexicographicallyPrecedes($0) }
      }
    }
    var bytes: [UInt8] = []
    var depths: [UInt16] = []
    var ends: [Int32] = []
    var tokenStarts: [Int32] = []
    var tokens: [Int32] = []
    var path: [Int] = []
    var previous: [UInt8] = []
    func close(to depth: Int) {
      while path.count > depth { ends[path.removeLast()] = Int32(bytes.count) }
    }
    for index in order {
      let token = spelled[index]
      var common = 0
      while common < min(previous.count, token.bytes.count), previous[common] == token.bytes[common] {
        common += 1
      }
      close(to: common)
      for depth in common..<token.bytes.count {
        path.append(bytes.count)
        bytes.append(token.bytes[depth])
        depths.append(UInt16(depth + 1))
        ends.append(0)
        tokenStarts.append(Int32(tokens.count))
      }
      tokens.append(token.id)
      previous = token.bytes
    }
    close(to: 0)
    tokenStarts.append(Int32(tokens.count))
    self.bytes = bytes
    self.depths = depths
    self.ends = ends
    self.tokenStarts = tokenStarts
    self.tokens = tokens
    depthMax = Int(depths.max() ?? 0)
    openingsMax =
      spelled.map { token in token.bytes.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") } }
      .max() ?? 0
    var starts: [Int32] = [0]
    var spelling: [UInt8] = []
    for token in spelled.sorted(by: { $0.id < $1.id }) {
      while starts.count <= Int(token.id) { starts.append(Int32(spelling.count)) }
      spelling += token.bytes
      starts.append(Int32(spelling.count))
    }
    spellingStarts = starts
    self.spelling = spelling
  }

  func bytes(of token: Int32) -> ArraySlice<UInt8>? {
    guard token >= 0, Int(token) + 1 < spellingStarts.count else { return nil }
    let range = Int(spellingStarts[Int(token)])..<Int(spellingStarts[Int(token) + 1])
    return range.isEmpty ? nil : spelling[range]
  }
}
