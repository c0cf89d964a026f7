/// What simulations came to, so that nobody believes in checks of what never happened.
package struct Coverage: Sendable, Equatable {
  package enum Counter: Int, CaseIterable, Sendable {
    case histories, steps, rows, requests, refused
    case admissions, overtaken, preemptions, waitsForPages, waitsForFamily
    case cacheHits, forks, copies, drafts, accepted
    case stop, content, length, failed, unread, shutdown, timedOutQueue, timedOutTotal
    case cancelledWaiting, cancelledPreempted, cancelledPrefilling, cancelledDecoding, cancelledInFlight
  }

  private var counts = Array(repeating: 0, count: Counter.allCases.count)

  package init() {}

  package subscript(counter: Counter) -> Int {
    get { counts[counter.rawValue] }
    set { counts[counter.rawValue] = newValue }
  }

  package mutating func add(_ other: Coverage) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// What did not happen.
  package var missing: [Counter] { Counter.allCases.filter { self[$0] == 0 } }
}

extension Coverage: CustomStringConvertible {
  package var description: String {
    Counter.allCases.map { "\($0)=\(self[$0])" }.joined(separator: " ")
  }

  /// Nil: not the description of one.
  package init?(_ text: some StringProtocol) {
    let fields = text.split(separator: " ")
    guard fields.count == counts.count else { return nil }
    for (field, counter) in zip(fields, Counter.allCases) {
      guard field.hasPrefix("\(counter)="), let count = Int(field.dropFirst("\(counter)=".count)) else {
        return nil
      }
      self[counter] = count
    }
  }
}
