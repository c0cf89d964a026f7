/// Sends the requests of a load at their times, and no more together than are allowed.
struct LoadRun: Sendable {
  var requests: [LoadRequest]
  /// Seconds from the start, in rising order.
  var arrivals: [Double]
  /// A request that arrives while so many run waits, and its time begins when it is sent.
  var concurrencyMax: Int?

  /// What became of each, in the order of the requests, and how long all took in seconds.
  func run(
    with client: CompletionClient, progress: (Int) -> Void = { _ in }
  ) async -> (outcomes: [RequestOutcome], duration: Double) {
    let clock = client.clock
    let start = clock.now
    let outcomes = await withTaskGroup(of: (Int, RequestOutcome).self) { group in
      var outcomes = Array<RequestOutcome?>(repeating: nil, count: requests.count)
      var finished = 0
      for (index, request) in requests.enumerated() {
        try? await clock.sleep(until: start + .seconds(arrivals[index]))
        if let concurrencyMax, index - finished >= concurrencyMax, let (done, outcome) = await group.next() {
          outcomes[done] = outcome
          finished += 1
          progress(finished)
        }
        group.addTask { (index, await client.send(request)) }
      }
      for await (done, outcome) in group {
        outcomes[done] = outcome
        finished += 1
        progress(finished)
      }
      return outcomes.compactMap { $0 }
    }
    return (outcomes, (clock.now - start) / .seconds(1))
  }
}
