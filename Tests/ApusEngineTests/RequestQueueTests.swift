import ApusEngine
import TestSupport
import Testing

struct RequestQueueTests {
  private func request(_ value: UInt64, tokens: Int = 1) -> ScheduledRequest {
    ScheduledRequest(id: id(value), promptTokens: Array(repeating: 1, count: tokens), maxTokens: 1)
  }

  private func ids(_ queue: RequestQueue) -> [UInt64] { (0..<queue.count).map { queue[$0].id.rawValue } }

  @Test func keepsTheOrderOfArrivalAndCountsTokens() {
    var queue = RequestQueue()
    for (value, tokens) in [(1, 3), (2, 4), (5, 1)] { queue.insert(request(UInt64(value), tokens: tokens)) }
    #expect(ids(queue) == [1, 2, 5] && queue.tokenCount == 8)
    #expect(queue.remove(at: 1).id == id(2))
    #expect(ids(queue) == [1, 5] && queue.tokenCount == 4)
  }

  @Test func whoComesBackGoesToItsPlace() {
    var queue = RequestQueue()
    for value in [2, 4, 6] as [UInt64] { queue.insert(request(value)) }
    _ = queue.remove(at: 0)
    for value in [5, 1, 2] as [UInt64] { queue.insert(request(value)) }
    #expect(ids(queue) == [1, 2, 4, 5, 6])
  }

  @Test func findsByName() {
    var queue = RequestQueue()
    #expect(queue.index(of: id(1)) == nil)
    for value in [2, 4, 6] as [UInt64] { queue.insert(request(value)) }
    _ = queue.remove(at: 0)
    #expect([1, 2, 4, 5, 6, 7].map { queue.index(of: id($0)) } == [nil, nil, 0, nil, 1, nil])
  }

  @Test(arguments: 0..<5)
  func agreesWithASortedArray(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var queue = RequestQueue()
    var expected: [UInt64] = []
    for _ in 0..<2_000 {
      let value = UInt64(random.nextInt(0...200))
      if let place = expected.firstIndex(of: value) {
        #expect(queue.index(of: id(value)) == place)
        let place = random.nextInt(0...1) == 0 ? 0 : place
        #expect(queue.remove(at: place).id.rawValue == expected.remove(at: place))
      } else {
        #expect(queue.index(of: id(value)) == nil)
        queue.insert(request(value, tokens: Int(value) + 1))
        expected = (expected + [value]).sorted()
      }
      #expect(queue.count == expected.count && queue.isEmpty == expected.isEmpty)
      #expect(queue.tokenCount == expected.reduce(0) { $0 + Int($1) + 1 })
    }
    #expect(ids(queue) == expected)
  }
}
