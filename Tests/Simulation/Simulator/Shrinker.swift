/// Makes a history that fails smaller, as long as it fails: fewer requests, then smaller numbers.
package struct Shrinker {
  private let fails: (History) -> Bool
  private var best: History
  /// Histories that may still be tried.
  private var tries: Int

  private init(_ history: History, tries: Int, fails: @escaping (History) -> Bool) {
    best = history
    self.tries = tries
    self.fails = fails
  }

  /// A history that still fails and that no single step makes smaller, or the smallest after `tries` tries.
  package static func shrink(
    _ history: History, tries: Int = 4000, fails: @escaping (History) -> Bool
  ) -> History {
    var shrinker = Shrinker(history.normalized, tries: tries, fails: fails)
    var size: History
    repeat {
      size = shrinker.best
      shrinker.dropArrivals()
      shrinker.reduce(\.settings, to: History.Settings(), History.settingFields)
      for index in shrinker.best.arrivals.indices {
        shrinker.reduce(\.arrivals[index], to: History.Arrival(), History.arrivalFields)
      }
    } while shrinker.best != size && shrinker.tries > 0
    return shrinker.best
  }

  /// Keeps `candidate` if it fails.
  private mutating func attempt(_ candidate: History) -> Bool {
    let candidate = candidate.normalized
    guard candidate != best, tries > 0 else { return false }
    tries -= 1
    guard fails(candidate) else { return false }
    best = candidate
    return true
  }

  private mutating func dropArrivals() {
    var size = max(1, best.arrivals.count / 2)
    while true {
      var index = 0
      while index < best.arrivals.count {
        let range = index..<min(index + size, best.arrivals.count)
        if !attempt(best.removing(range)) { index += size }
      }
      guard size > 1 else { return }
      size /= 2
    }
  }

  /// Moves each number of a part towards that of an empty history: all the way, by half, by one.
  private mutating func reduce<Root>(
    _ part: WritableKeyPath<History, Root>, to plain: Root, _ fields: [History.Field<Root>]
  ) {
    for field in fields {
      let path = part.appending(path: field.path)
      let goal = plain[keyPath: field.path]
      while best[keyPath: path] != goal {
        let distance = best[keyPath: path] - goal
        let isSmaller = [distance, distance / 2, distance.signum()].contains { step in
          guard step != 0 else { return false }
          var candidate = best
          candidate[keyPath: path] -= step
          return attempt(candidate)
        }
        if !isSmaller { break }
      }
    }
  }
}

extension History {
  /// Without some arrivals; forks of these are requests of their own.
  fileprivate func removing(_ range: Range<Int>) -> History {
    var history = self
    history.arrivals.removeSubrange(range)
    for index in history.arrivals.indices where history.arrivals[index].fork > 0 {
      let parent = history.arrivals[index].fork - 1
      if range.contains(parent) {
        history.arrivals[index].fork = 0
      } else if parent >= range.upperBound {
        history.arrivals[index].fork -= range.count
      }
    }
    return history
  }
}
