/// Walks the tree of tokens with an automaton. Owns its scratch; not thread-safe.
final class MaskWalker {
  /// Where a walk is at a node.
  struct Place {
    var state: Int32
    var count: Int32 = 0
    /// The innermost caller: the node's depth at which the walk called, -1 - n for the n-th of the stack, or
    /// `outside`.
    var caller: Int32
    var levels: Int32
    /// Of a node whose byte called: the state that was left, and its own caller.
    var calledState: Int32 = 0
    var calledCaller: Int32 = 0
  }

  /// Below what the walk knows of the stack.
  static let outside = Int32.min

  /// A node whose byte closes a rule from outside the walk.
  struct Exit {
    var node: Int32
    var way: Int32
  }

  private let automaton: Automaton
  private let trie: TokenTrie
  /// By depth.
  private let places: UnsafeMutablePointer<Place>
  /// Tokens that may come, as ranges of `TokenTrie.tokens`.
  private(set) var found: [Range<Int32>] = []
  private(set) var exits: [Exit] = []
  /// Nodes looked at, all in all.
  private(set) var visitCount = 0

  init(_ automaton: Automaton, _ trie: TokenTrie) {
    self.automaton = automaton
    self.trie = trie
    places = .allocate(capacity: trie.depthMax + 1)
    places.initialize(repeating: Place(state: 0, caller: Self.outside, levels: 0), count: trie.depthMax + 1)
  }

  deinit { places.deallocate() }

  func removeAll() {
    found.removeAll(keepingCapacity: true)
    exits.removeAll(keepingCapacity: true)
  }

  /// Looks at all tokens from `place`, about whose callers nothing is said.
  func walk(from place: Place) {
    places[0] = place
    walk(0..<trie.bytes.count, stack: UnsafeBufferPointer(start: nil, count: 0))
  }

  /// Looks at the tokens that go on after an exit.
  func walk(below exit: Exit, _ stack: UnsafeBufferPointer<Int32>, levels: Int) {
    let node = Int(exit.node)
    let closes: Int32 = automaton.closesContainer[Int(exit.way)] ? 1 : 0
    places[Int(trie.depths[node])] = Place(
      state: automaton.target(of: stack[stack.count - 1], after: exit.way),
      caller: stack.count > 1 ? Int32(1 - stack.count) : Self.outside, levels: Int32(levels) - closes)
    walk((node + 1)..<Int(trie.ends[node]), stack: stack)
  }

  private func walk(_ nodes: Range<Int>, stack: UnsafeBufferPointer<Int32>) {
    let columns = automaton.classCount
    trie.bytes.withUnsafeBufferPointer { bytes in
      trie.depths.withUnsafeBufferPointer { depths in
        automaton.table.withUnsafeBufferPointer { table in
          automaton.classes.withUnsafeBufferPointer { classes in
            automaton.counterIndex.withUnsafeBufferPointer { counters in
              var node = nodes.lowerBound
              while node < nodes.upperBound {
                visitCount &+= 1
                let depth = Int(depths[node])
                let before = places[depth - 1]
                let cell = table[Int(before.state) * columns + Int(classes[Int(bytes[node])])]
                if cell >= 0, counters[Int(before.state)] < 0 {
                  places[depth].state = cell
                  places[depth].count = before.count
                  places[depth].caller = before.caller
                  places[depth].levels = before.levels
                } else if !step(before, cell, node: node, depth: depth, stack) {
                  node = Int(trie.ends[node])
                  continue
                }
                let tokens = trie.tokenStarts[node]..<trie.tokenStarts[node + 1]
                if !tokens.isEmpty { add(tokens) }
                node += 1
              }
            }
          }
        }
      }
    }
  }

  private func add(_ tokens: Range<Int32>) {
    if let last = found.last, last.upperBound == tokens.lowerBound {
      found[found.count - 1] = last.lowerBound..<tokens.upperBound
    } else {
      found.append(tokens)
    }
  }

  /// What is no plain step. False: nothing below the node may come, or it is an exit's.
  private func step(
    _ before: Place, _ cell: Int32, node: Int, depth: Int, _ stack: UnsafeBufferPointer<Int32>
  ) -> Bool {
    var place = before
    let move = Automaton.move(cell)
    let counter = automaton.counterIndex[Int(before.state)]
    if counter >= 0 {
      let counter = automaton.counters[Int(counter)]
      if case .close = move, before.count < counter.min { return false }
      if case .next = move {
        guard before.count < counter.max else { return false }
        if before.count < Int32.max - 1 { place.count += 1 }
      }
    }
    switch move {
    case .dead: return false
    case .next(let next): place.state = next
    case .call(let index):
      let entry = automaton.entries[index]
      place.calledState = before.state
      place.calledCaller = before.caller
      place.caller = Int32(depth)
      place.state = entry.state
      place.count = 0
      if entry.isContainer {
        place.levels += 1
        if let most = automaton.levelsMax, most - Int(place.levels) < automaton.lowLevels {
          place.state = entry.lowState
        }
      }
    case .close(let way):
      if automaton.closesContainer[Int(way)] { place.levels -= 1 }
      let caller = before.caller
      if caller == Self.outside {
        // Whoever called goes on after any way of closing, so the token itself may come.
        let tokens = trie.tokenStarts[node]..<trie.tokenStarts[node + 1]
        if !tokens.isEmpty { add(tokens) }
        if Int(trie.ends[node]) > node + 1 { exits.append(Exit(node: Int32(node), way: way)) }
        return false
      }
      if caller >= 0 {
        place.state = automaton.target(of: places[Int(caller)].calledState, after: way)
        place.caller = places[Int(caller)].calledCaller
      } else {
        place.state = automaton.target(of: stack[Int(-1 - caller)], after: way)
        place.caller = caller == -1 ? Self.outside : caller + 1
      }
    }
    places[depth] = place
    return true
  }
}
