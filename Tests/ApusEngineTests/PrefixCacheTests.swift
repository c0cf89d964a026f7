import ApusEngine
import TestSupport
import Testing

struct PrefixCacheTests {
  private let texts: [[Int32]] = [[1, 2], [3, 4], [5, 6]]

  @Test func findsAPageByItsTokensAndTheChainBeforeThem() {
    var cache = PrefixCache(pageCount: 4, pageSize: 2)
    let first = cache.insert(2, after: PrefixCache.root, holding: texts[0][...])
    let second = cache.insert(0, after: first, holding: texts[1][...])
    #expect(cache.page(after: PrefixCache.root, holding: texts[0][...]) == 2)
    #expect(cache.page(after: first, holding: texts[1][...]) == 0)
    #expect(cache.chain(endingWith: 0) == second && cache.count == 2)
    // The same tokens elsewhere are another text.
    #expect(cache.page(after: PrefixCache.root, holding: texts[1][...]) == nil)
    #expect(cache.page(after: second, holding: texts[0][...]) == nil)
  }

  @Test func whatFollowsAForgottenPageIsNotFoundAlsoWhereItsTextIsCachedAgain() {
    var cache = PrefixCache(pageCount: 4, pageSize: 2)
    let first = cache.insert(0, after: PrefixCache.root, holding: texts[0][...])
    cache.insert(1, after: first, holding: texts[1][...])
    cache.remove(0)
    #expect(cache.page(after: PrefixCache.root, holding: texts[0][...]) == nil)
    #expect(!cache.contains(0) && cache.contains(1) && cache.count == 1)
    let again = cache.insert(2, after: PrefixCache.root, holding: texts[0][...])
    #expect(again != first)
    #expect(cache.page(after: again, holding: texts[1][...]) == nil)
    // Who has the old chain still finds what follows it: the tokens before are the same.
    #expect(cache.page(after: first, holding: texts[1][...]) == 1)
  }

  @Test func removingWhatIsNotThereChangesNothing() {
    var cache = PrefixCache(pageCount: 2, pageSize: 2)
    cache.remove(1)
    #expect(cache.count == 0)
    cache.insert(1, after: PrefixCache.root, holding: texts[0][...])
    cache.remove(0)
    #expect(cache.page(after: PrefixCache.root, holding: texts[0][...]) == 1)
  }

  /// Few buckets and many pages: chains of a bucket lose their first, middle and last entries.
  @Test(arguments: 0..<10)
  func agreesWithADictionary(seed: UInt64) {
    struct Key: Hashable {
      var chain: PrefixCache.Node
      var tokens: [Int32]
    }
    var random = SplitMix64(seed: seed)
    var cache = PrefixCache(pageCount: 16, pageSize: 2)
    var pages: [Key: Int32] = [:]
    var chains: [PrefixCache.Node] = [PrefixCache.root]
    for _ in 0..<3_000 {
      let key = Key(
        chain: random.pick(chains), tokens: [Int32(random.nextInt(0...3)), Int32(random.nextInt(0...3))])
      #expect(cache.page(after: key.chain, holding: key.tokens[...]) == pages[key])
      let page = Int32(random.nextInt(0...15))
      if cache.contains(page) {
        cache.remove(page)
        pages = pages.filter { $0.value != page }
      } else if pages[key] == nil {
        chains.append(cache.insert(page, after: key.chain, holding: key.tokens[...]))
        pages[key] = page
      }
      #expect(cache.count == pages.count)
    }
  }
}
