/// Requests that wait for a slot, first in, first out.
struct RequestQueue: Sendable {
  private var requests: [ScheduledRequest] = []
  private var head = 0

  var count: Int { requests.count - head }
  var isEmpty: Bool { count == 0 }
  var first: ScheduledRequest? { isEmpty ? nil : requests[head] }

  mutating func append(_ request: ScheduledRequest) { requests.append(request) }

  mutating func popFirst() -> ScheduledRequest? {
    guard let request = first else { return nil }
    head += 1
    // Moves the rest down once half is spent: constant time per request, memory at most twice the need.
    if head * 2 >= requests.count {
      requests.removeFirst(head)
      head = 0
    }
    return request
  }

  mutating func remove(_ id: RequestID) -> ScheduledRequest? {
    guard let index = requests[head...].firstIndex(where: { $0.id == id }) else { return nil }
    return requests.remove(at: index)
  }
}
