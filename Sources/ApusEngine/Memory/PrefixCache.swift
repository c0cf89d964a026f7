/// Which pages hold which beginnings of sequences.
///
/// A page is found by its tokens and the page before it: a chain from the beginning, so that a hit means that all
/// tokens up to its end are equal. Hashes only choose a bucket; tokens and chain are compared, so a hit is never
/// another text. What a page holds depends on these tokens and on the model, and a cache belongs to one model. (Paged
/// prefixes by hash: vLLM, Kwon et al. 2023; a tree of them: SGLang, Zheng et al. 2024.) Allocates nothing after
/// it is made.
package struct PrefixCache: Sendable {
  /// Names a chain of pages. Given out once, also where a page is cached again.
  package typealias Node = UInt64
  /// The chain of no pages.
  package static let root: Node = 0

  package let pageSize: Int
  /// Of each page: its tokens, `[pages, pageSize]`, the chain before it, its own (`root`: not in the cache).
  private var tokens: [Int32]
  private var parent: [Node]
  private var node: [Node]
  /// First page of each bucket, and the page after each; -1 ends a bucket. A power of two.
  private var buckets: [Int32]
  private var next: [Int32]
  private var nodeCount: Node = 0
  /// Pages in the cache, held or idle.
  package private(set) var count = 0

  package init(pageCount: Int, pageSize: Int) {
    self.pageSize = pageSize
    tokens = Array(repeating: 0, count: pageCount * pageSize)
    parent = Array(repeating: Self.root, count: pageCount)
    node = parent
    next = Array(repeating: -1, count: pageCount)
    let bucketCount = 1 << (Int.bitWidth - (2 * pageCount - 1).leadingZeroBitCount)
    buckets = Array(repeating: -1, count: bucketCount)
  }

  package func contains(_ page: Int32) -> Bool { node[Int(page)] != Self.root }

  /// The chain that ends with `page`, which is in the cache.
  package func chain(endingWith page: Int32) -> Node { node[Int(page)] }

  /// The page that holds `content` after `chain`.
  package func page(after chain: Node, holding content: ArraySlice<Int32>) -> Int32? {
    var page = buckets[bucket(chain, content)]
    while page >= 0 {
      let first = Int(page) * pageSize
      if parent[Int(page)] == chain, tokens[first..<first + pageSize].elementsEqual(content) { return page }
      page = next[Int(page)]
    }
    return nil
  }

  /// Remembers that `page`, which is not in the cache, holds `content` after `chain`; the chain it ends.
  @discardableResult
  package mutating func insert(_ page: Int32, after chain: Node, holding content: ArraySlice<Int32>) -> Node {
    precondition(!contains(page) && content.count == pageSize, "page \(page) is in the cache, or not full")
    let first = Int(page) * pageSize
    for (offset, token) in content.enumerated() { tokens[first + offset] = token }
    nodeCount += 1
    node[Int(page)] = nodeCount
    parent[Int(page)] = chain
    let bucket = bucket(chain, content)
    next[Int(page)] = buckets[bucket]
    buckets[bucket] = page
    count += 1
    return nodeCount
  }

  /// Forgets `page`, if it is in the cache. Pages that continue its chain are not found any more.
  package mutating func remove(_ page: Int32) {
    guard contains(page) else { return }
    let first = Int(page) * pageSize
    let bucket = bucket(parent[Int(page)], tokens[first..<first + pageSize])
    if buckets[bucket] == page {
      buckets[bucket] = next[Int(page)]
    } else {
      var before = buckets[bucket]
      while next[Int(before)] != page { before = next[Int(before)] }
      next[Int(before)] = next[Int(page)]
    }
    node[Int(page)] = Self.root
    count -= 1
  }

  private func bucket(_ chain: Node, _ content: ArraySlice<Int32>) -> Int {
    // A multiply and a fold for each token, as in wyhash; bits from the top, where they are mixed best.
    var hash = chain &* 0x9E37_79B9_7F4A_7C15 ^ 0x2545_F491_4F6C_DD1D
    for token in content {
      let product = (hash ^ UInt64(UInt32(bitPattern: token))).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
      hash = product.high ^ product.low ^ 0xE703_7ED1_A0B4_28DB
    }
    return Int(hash >> 32) & (buckets.count - 1)
  }
}
