/// Requests that wait for a slot, in the order in which they came: a preempted one goes back to its place.
package struct RequestQueue: Sendable {
  private var requests: [ScheduledRequest] = []
  private var head = 0
  /// Prompt and generated tokens of all of them.
  package private(set) var tokenCount = 0

  package init() {}

  package var count: Int { requests.count - head }
  package var isEmpty: Bool { count == 0 }

  /// The `index`-th to have come.
  package subscript(index: Int) -> ScheduledRequest { requests[head + index] }

  /// By id, which grows in the order of submission.
  package mutating func insert(_ request: ScheduledRequest) {
    tokenCount += request.tokens.count
    var index = requests.count
    while index > head, requests[index - 1].id > request.id { index -= 1 }
    requests.insert(request, at: index)
  }

  package mutating func remove(at index: Int) -> ScheduledRequest {
    let request = requests[head + index]
    tokenCount -= request.tokens.count
    guard index == 0 else { return requests.remove(at: head + index) }
    head += 1
    // Moves the rest down once half is spent: constant time per request, memory at most twice the need.
    if head * 2 >= requests.count {
      requests.removeFirst(head)
      head = 0
    }
    return request
  }

  /// The first `count` see a later one go before them.
  mutating func overtake(first count: Int) {
    for index in head..<head + count { requests[index].overtaken += 1 }
  }

  package func index(of id: RequestID) -> Int? {
    // Ids ascend.
    var (low, high) = (head, requests.count)
    while low < high {
      let middle = (low + high) / 2
      if requests[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < requests.count && requests[low].id == id ? low - head : nil
  }
}
