import ApusEngine

/// The masks of an automaton's states, made when they are first asked for and kept.
///
/// A state's own mask says which tokens may come without a word on its callers; those that close what the
/// callers opened and go on are kept as places in the tree of tokens, and are looked at for each step: some
/// hundred nodes.
struct MaskCache {
  /// All that a state's own mask depends on.
  private struct Key: Hashable {
    var state: Int32
    /// Characters that must, and may, still come, as far as a token can tell.
    var missing: Int32 = -1
    var left: Int32 = -1
    var levels: Int32 = -1
  }

  private final class Mask {
    /// Tokens, or words of a mask where that is shorter.
    let tokens: [Int32]
    let words: [UInt32]
    let exits: [MaskWalker.Exit]

    init(tokens: [Int32], words: [UInt32], exits: [MaskWalker.Exit]) {
      self.tokens = tokens
      self.words = words
      self.exits = exits
    }

    var byteCount: Int { 128 + 4 * tokens.count + 4 * words.count + 8 * exits.count }
  }

  /// Masks of one automaton, at most; the oldest half goes when there are more.
  static let byteCountMax = 16 << 20
  /// Nodes looked at before the first step, at most: some tens of milliseconds.
  private static let visitsAhead = 8 << 20

  private let automaton: Automaton
  private let vocabulary: TokenVocabulary
  private let byteCountMax: Int
  private let walker: MaskWalker
  private var masks: [Key: Mask] = [:]
  private var order: [Key] = []
  private(set) var byteCount = 0

  init(_ automaton: Automaton, _ vocabulary: TokenVocabulary, byteCountMax: Int = MaskCache.byteCountMax) {
    self.automaton = automaton
    self.vocabulary = vocabulary
    self.byteCountMax = byteCountMax
    walker = MaskWalker(automaton, vocabulary.trie)
    for state in 0..<Int32(automaton.stateCount) {
      guard walker.visitCount < Self.visitsAhead, byteCount < byteCountMax / 2 else { break }
      var place = AutomatonState(automaton)
      place.state = state
      _ = mask(of: place)
    }
  }

  /// Overwrites `mask` with the tokens that may come at `state`.
  mutating func fill(_ result: inout TokenMask, at state: AutomatonState) {
    precondition(
      result.vocabularySize == vocabulary.size,
      "a mask over \(result.vocabularySize) tokens, the constraint's vocabulary has \(vocabulary.size)")
    let own = mask(of: state)
    result.words.withUnsafeMutableBufferPointer { words in
      if own.words.isEmpty {
        words.update(repeating: 0)
        for token in own.tokens { words.insert(token) }
      } else {
        _ = words.update(from: own.words)
      }
      guard !own.exits.isEmpty, !state.stack.isEmpty else { return }
      walker.removeAll()
      state.stack.withUnsafeBufferPointer { stack in
        for exit in own.exits { walker.walk(below: exit, stack, levels: state.levels) }
      }
      for range in walker.found {
        for index in range { words.insert(vocabulary.trie.tokens[Int(index)]) }
      }
    }
  }

  private mutating func mask(of state: AutomatonState) -> Mask {
    let key = key(of: state)
    if let known = masks[key] { return known }
    walker.removeAll()
    walker.walk(
      from: MaskWalker.Place(
        state: state.state, count: state.count, caller: MaskWalker.outside, levels: Int32(state.levels)))
    let count = walker.found.reduce(0) { $0 + $1.count }
    let wordCount = (vocabulary.size + 31) / 32
    var tokens: [Int32] = []
    var words: [UInt32] = []
    if count < wordCount {
      tokens.reserveCapacity(count)
      for range in walker.found {
        tokens += vocabulary.trie.tokens[Int(range.lowerBound)..<Int(range.upperBound)]
      }
    } else {
      words = Array(repeating: 0, count: wordCount)
      words.withUnsafeMutableBufferPointer { words in
        for range in walker.found {
          for index in range { words.insert(vocabulary.trie.tokens[Int(index)]) }
        }
      }
    }
    let mask = Mask(tokens: tokens, words: words, exits: walker.exits)
    keep(mask, key)
    return mask
  }

  private mutating func keep(_ mask: Mask, _ key: Key) {
    if byteCount + mask.byteCount > byteCountMax {
      let count = (order.count + 1) / 2
      for old in order.prefix(count) {
        if let gone = masks.removeValue(forKey: old) { byteCount -= gone.byteCount }
      }
      order.removeFirst(count)
    }
    masks[key] = mask
    order.append(key)
    byteCount += mask.byteCount
  }

  private func key(of state: AutomatonState) -> Key {
    var key = Key(state: state.state)
    let owner = automaton.counterOwners[Int(state.state)]
    if owner >= 0 {
      let counter = automaton.counters[Int(owner)]
      // No token has more characters than bytes, and the one that has begun is counted.
      let reach = Int32(vocabulary.trie.depthMax)
      key.missing = min(max(0, counter.min - state.count), reach + 1)
      key.left = min(counter.max - state.count, reach + 1)
    }
    if let most = automaton.levelsMax {
      key.levels = Int32(
        min(most - state.levels, automaton.lowLevels + vocabulary.trie.openingsMax + 1))
    }
    return key
  }
}

extension UnsafeMutableBufferPointer<UInt32> {
  fileprivate func insert(_ token: Int32) {
    self[Int(token) >> 5] |= 1 << UInt32(token & 31)
  }
}
