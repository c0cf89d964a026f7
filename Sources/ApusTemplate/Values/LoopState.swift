/// What a loop's body sees as `loop`.
final class LoopState {
  private let iterator: ValueIterator
  /// Known from the begin for what has a length.
  private var knownCount: Int?
  /// Items read before their turn.
  private var ahead: [Value] = []
  private var hasEnded = false
  private(set) var index0 = -1
  private var current: Value?
  private(set) var previous: Value?
  private var lastChanged: [Value]?
  /// How many loops are around this one in Jinja's sense: recursive ones, which there are none of.
  let depth0 = 0

  init(_ iterator: ValueIterator, count: Int?) {
    self.iterator = iterator
    knownCount = count
  }

  /// Steps to the next item.
  func next(_ evaluation: Evaluation) throws(TemplateError) -> Value? {
    try fill(1, evaluation)
    guard !ahead.isEmpty else { return nil }
    let item = ahead.removeFirst()
    index0 += 1
    previous = current
    current = item
    return item
  }

  private func fill(_ count: Int, _ evaluation: Evaluation) throws(TemplateError) {
    while !hasEnded, ahead.count < count {
      if let item = try iterator.next(evaluation) { ahead.append(item) } else { hasEnded = true }
    }
  }

  func upcoming(_ evaluation: Evaluation) throws(TemplateError) -> Value? {
    try fill(1, evaluation)
    return ahead.first
  }

  /// Reads all items where there is no other way to know.
  func count(_ evaluation: Evaluation) throws(TemplateError) -> Int {
    if let knownCount { return knownCount }
    try fill(.max, evaluation)
    knownCount = index0 + 1 + ahead.count
    return knownCount!
  }

  /// Whether the values differ from those of the call before.
  func hasChanged(_ values: [Value], _ evaluation: Evaluation) throws(TemplateError) -> Bool {
    if let lastChanged, lastChanged.count == values.count {
      var isSame = true
      for (left, right) in zip(lastChanged, values) where try !evaluation.equal(left, right) {
        isSame = false
      }
      if isSame { return false }
    }
    lastChanged = values
    return true
  }
}
