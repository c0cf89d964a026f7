/// Tokens and their ids, by bytes. Ids need not be dense; holes have no token.
struct Vocabulary: Sendable {
  /// The largest id accepted, far beyond any published vocabulary, so that a hostile id allocates little.
  static let idMax = 1 << 22 - 1

  private struct Span {
    var start: Int
    var length: Int32
  }

  private var bytes: [UInt8] = []
  /// By id: where the token starts and how long it is; a negative length marks a hole.
  private var spans: [Span] = []
  /// Open addressing over ids; -1 is free. A power of two, at most half full.
  private var slots: [Int32] = []
  private(set) var count = 0

  /// One more than the largest id.
  var idLimit: Int { spans.count }

  /// Adds a token. Lookups work after `buildIndex()`.
  mutating func append(_ token: [UInt8], id: Int) throws(TokenizerFileProblem) {
    if id >= spans.count {
      spans.append(contentsOf: repeatElement(Span(start: 0, length: -1), count: id + 1 - spans.count))
    }
    guard spans[id].length < 0 else { throw .duplicateID(id) }
    spans[id] = Span(start: bytes.count, length: Int32(token.count))
    bytes.append(contentsOf: token)
    count += 1
  }

  mutating func buildIndex() throws(TokenizerFileProblem) {
    var capacity = 16
    while capacity < count * 2 { capacity *= 2 }
    slots = [Int32](repeating: -1, count: capacity)
    for id in 0..<spans.count where spans[id].length >= 0 {
      let slot = bytes.withUnsafeBufferPointer { bytes -> Int in
        self.slot(of: UnsafeBufferPointer(rebasing: bytes[range(id)]), bytes)
      }
      guard slots[slot] < 0 else { throw .duplicateToken(self[id]!.text) }
      slots[slot] = Int32(id)
    }
  }

  private func range(_ id: Int) -> Range<Int> {
    spans[id].start..<spans[id].start + Int(spans[id].length)
  }

  /// The bytes of a token, or nil where the id has none.
  subscript(id: Int) -> [UInt8]? {
    guard id >= 0, id < spans.count, spans[id].length >= 0 else { return nil }
    return Array(bytes[range(id)])
  }

  /// Calls `body` with a token's bytes; false where the id has none.
  func withToken(_ id: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) -> Bool {
    guard id >= 0, id < spans.count, spans[id].length >= 0 else { return false }
    bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range(id)])) }
    return true
  }

  func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard !slots.isEmpty else { return nil }
    let id = bytes.withUnsafeBufferPointer { slots[slot(of: token, $0)] }
    return id < 0 ? nil : id
  }

  func id(of token: [UInt8]) -> Int32? {
    token.withUnsafeBufferPointer { id(of: $0) }
  }

  /// The slot that holds `token`, or the free one where it belongs.
  private func slot(of token: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hashBytes(token)) & mask
    while slots[slot] >= 0 {
      let span = spans[Int(slots[slot])]
      if Int(span.length) == token.count, sameBytes(token, bytes, span.start) { break }
      slot = (slot + 1) & mask
    }
    return slot
  }

  @inline(__always)
  private func sameBytes(
    _ token: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int
  ) -> Bool {
    for index in 0..<token.count where token[index] != bytes[start + index] { return false }
    return true
  }
}

/// A multiplicative hash, eight bytes at a time.
func hashBytes(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
  let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
  var hash = UInt64(truncatingIfNeeded: bytes.count) &* multiplier
  let raw = UnsafeRawBufferPointer(bytes)
  var position = 0
  while position + 8 <= raw.count {
    hash = (hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)) &* multiplier
    hash ^= hash >> 32
    position += 8
  }
  var tail: UInt64 = 0
  while position < raw.count {
    tail = tail << 8 | UInt64(raw[position])
    position += 1
  }
  hash = (hash ^ tail) &* multiplier
  return hash ^ hash >> 32
}
