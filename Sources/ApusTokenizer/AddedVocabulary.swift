/// A token that is found in the text before the model sees it.
struct AddedToken: Sendable, Equatable {
  var content: [UInt8]
  /// Not where a word character touches it.
  var isSingleWord = false
  /// Takes the white space on its left.
  var stripsLeft = false
  /// Takes the white space on its right.
  var stripsRight = false
  /// Is looked for in the normalized text, in its own normalized form.
  var isNormalized = false
  /// Is left out of decoded text on demand.
  var isSpecial = false
}

/// The added tokens of a tokenizer, and the search for them.
struct AddedVocabulary: Sendable {
  /// A part of a text: an added token, or text between two.
  struct Segment: Equatable {
    var range: Range<Int>
    var id: Int32?
  }

  private(set) var tokens: [Int32: AddedToken] = [:]
  private var ids: [[UInt8]: Int32] = [:]
  /// How decoding spells a token whose normalized form differs from its content.
  private var normalizedForms: [Int32: [UInt8]] = [:]
  private var specialContents: Set<[UInt8]> = []
  private var rawTree = TokenTree()
  private var normalizedTree = TokenTree()
  private let identifier = AddedVocabulary.table(CharacterClasses.shared.identifier)
  private let space = AddedVocabulary.table(CharacterClasses.shared.space)

  private static func table(_ set: ScalarSet) -> ScalarSetTable {
    var table = ScalarSetTable()
    _ = table.index(of: set)
    return table
  }

  /// Takes tokens in the file's order. As in the reference, a token of the model keeps the model's id, and
  /// any other gets the next free one: the file's own id is not consulted.
  init(
    _ added: [AddedToken], vocabulary: Vocabulary,
    normalize: ([UInt8]) throws(TokenizerFileProblem) -> [UInt8]
  ) throws(TokenizerFileProblem) {
    var nextID = Int32(vocabulary.count)
    for token in added where !token.content.isEmpty {
      var id = ids[token.content] ?? vocabulary.id(of: token.content)
      if id == nil {
        id = nextID
        nextID += 1
      }
      guard let id else { continue }
      ids[token.content] = id
      if token.isSpecial { specialContents.insert(token.content) }
      normalizedForms[id] = nil
      if token.isNormalized {
        let form = try normalize(token.content)
        if form != token.content { normalizedForms[id] = form }
      }
      tokens[id] = token
    }
    for (id, token) in tokens {
      let form = normalizedForms[id] ?? token.content
      guard token.isNormalized ? normalizedTree.insert(form, id) : rawTree.insert(form, id) else {
        throw .invalidField(
          field: "added_tokens", expected: "tokens whose normalized forms differ, not '\(token.content.text)'"
        )
      }
    }
  }

  /// One more than the largest id.
  var idLimit: Int { Int(tokens.keys.max() ?? -1) + 1 }

  func id(of token: [UInt8]) -> Int32? { ids[token] }

  /// The bytes that decoding starts from, or nil where `id` is no added token.
  func decodedForm(_ id: Int32) -> [UInt8]? {
    guard let token = tokens[id] else { return nil }
    return normalizedForms[id] ?? token.content
  }

  /// Whether decoding leaves out a token that it would spell like this.
  func isSpecial(_ form: [UInt8]) -> Bool {
    specialContents.contains(form)
  }

  /// Cuts a text at the added tokens in it: those with `isNormalized` or those without.
  func segments(
    of text: UnsafeBufferPointer<UInt8>, normalized: Bool, skippingSpecial: Bool
  ) -> [Segment] {
    let tree = normalized ? normalizedTree : rawTree
    var result: [Segment] = []
    var offset = 0
    var position = 0
    while let match = tree.firstMatch(in: text, from: position) {
      position = match.range.upperBound
      let token = tokens[match.id]!
      if skippingSpecial, specialContents.contains(token.content) { continue }
      if token.isSingleWord, touchesWord(match.range, text) { continue }
      var range = match.range
      if token.stripsLeft {
        let start = spaceStart(before: range.lowerBound, text, limit: offset)
        range = min(start, range.upperBound)..<range.upperBound
      }
      if token.stripsRight { range = range.lowerBound..<spaceEnd(after: range.upperBound, text) }
      if offset < range.lowerBound { result.append(Segment(range: offset..<range.lowerBound)) }
      if !range.isEmpty { result.append(Segment(range: range, id: match.id)) }
      offset = range.upperBound
    }
    if offset < text.count { result.append(Segment(range: offset..<text.count)) }
    return result
  }

  private func touchesWord(_ range: Range<Int>, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if range.lowerBound > 0 {
      let before = decodeScalar(text, scalarStart(before: range.lowerBound, text)).scalar
      if identifier.contains(before, set: 0) { return true }
    }
    guard range.upperBound < text.count else { return false }
    return identifier.contains(decodeScalar(text, range.upperBound).scalar, set: 0)
  }

  /// Where the white space before `position` begins, but not before `limit`.
  private func spaceStart(before position: Int, _ text: UnsafeBufferPointer<UInt8>, limit: Int) -> Int {
    var start = position
    while start > limit {
      let before = scalarStart(before: start, text)
      guard space.contains(decodeScalar(text, before).scalar, set: 0) else { break }
      start = before
    }
    return max(start, limit)
  }

  private func spaceEnd(after position: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int {
    var end = position
    while end < text.count {
      let (scalar, length) = decodeScalar(text, end)
      guard space.contains(scalar, set: 0) else { break }
      end += length
    }
    return end
  }
}

/// A prefix tree over bytes that finds the longest of its strings at the leftmost place.
struct TokenTree: Sendable {
  /// Keyed by the node and, in the low eight bits, the byte.
  private var edges: [Int: Int] = [:]
  private var ids: [Int32] = [-1]
  private var isFirstByte = [Bool](repeating: false, count: 256)

  /// False where the string is empty or already there.
  mutating func insert(_ string: [UInt8], _ id: Int32) -> Bool {
    guard let first = string.first else { return false }
    isFirstByte[Int(first)] = true
    var node = 0
    for byte in string {
      let edge = node << 8 | Int(byte)
      if let child = edges[edge] {
        node = child
      } else {
        node = ids.count
        edges[edge] = node
        ids.append(-1)
      }
    }
    guard ids[node] < 0 else { return false }
    ids[node] = id
    return true
  }

  func firstMatch(
    in text: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (range: Range<Int>, id: Int32)? {
    guard ids.count > 1 else { return nil }
    var position = start
    while position < text.count {
      if isFirstByte[Int(text[position])], let match = longestMatch(in: text, at: position) { return match }
      position += 1
    }
    return nil
  }

  private func longestMatch(
    in text: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> (range: Range<Int>, id: Int32)? {
    var node = 0
    var position = start
    var best: (range: Range<Int>, id: Int32)?
    while position < text.count, let child = edges[node << 8 | Int(text[position])] {
      node = child
      position += 1
      if ids[node] >= 0 { best = (start..<position, ids[node]) }
    }
    return best
  }
}
