extension Evaluation {
  func compare(
    _ operation: ComparisonOperation, _ left: Value, _ right: Value
  ) throws(TemplateError) -> Bool {
    switch operation {
    case .equal: return try equal(left, right)
    case .notEqual: return try !equal(left, right)
    case .less: return try precedes(left, right)
    case .greater: return try precedes(right, left)
    case .lessOrEqual: return try precedes(left, right, orEqual: true)
    case .greaterOrEqual: return try precedes(right, left, orEqual: true)
    case .isIn: return try contains(right, left)
    case .isNotIn: return try !contains(right, left)
    }
  }

  // MARK: Equality

  func equal(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
    try charge()
    if let left = Number(left), let right = Number(right) { return order(left, right) == 0 }
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let left), .text(let right)), (.text(let left), .safe(let right)),
      (.safe(let left), .text(let right)), (.safe(let left), .safe(let right)):
      guard left.bytes.count == right.bytes.count else { return false }
      try charge(bytes: left.bytes.count)
      return left == right
    case (.list(let left), .list(let right)): return try equal(left.items, right.items)
    case (.tuple(let left), .tuple(let right)), (.tuple(let left), .group(let right)),
      (.group(let left), .tuple(let right)), (.group(let left), .group(let right)):
      return try equal(left.items, right.items)
    case (.dictionary(let left), .dictionary(let right)):
      guard left.count == right.count else { return false }
      for (key, value) in zip(left.keys, left.values) {
        guard let other = right[try hashed(key)], try equal(value, other) else { return false }
      }
      return true
    case (.range(let left), .range(let right)):
      guard left.count == right.count else { return false }
      return left.count == 0 || left.start == right.start && (left.count == 1 || left.step == right.step)
    case (.namespace(let left), .namespace(let right)): return left == right
    case (.view, .view), (.function, .function), (.iterator, .iterator), (.loop, .loop):
      throw unsupported("the comparison of a \(left.typeName) with a \(right.typeName)")
    default: return false
    }
  }

  private func equal(_ left: [Value], _ right: [Value]) throws(TemplateError) -> Bool {
    guard left.count == right.count else { return false }
    for (left, right) in zip(left, right) where try !equal(left, right) { return false }
    return true
  }

  // MARK: Order

  /// Negative, zero or positive; nil where one is no number.
  private func order(_ left: Number, _ right: Number) -> Int? {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): return left < right ? -1 : left == right ? 0 : 1
    case (.float(let left), .float(let right)):
      return left < right ? -1 : left == right ? 0 : left > right ? 1 : nil
    case (.integer(let left), .float(let right)): return order(left, right)
    case (.float(let left), .integer(let right)): return order(right, left).map { -$0 }
    }
  }

  /// Exact: an integer need not fit a double.
  private func order(_ left: Int, _ right: Double) -> Int? {
    if right.isNaN { return nil }
    if right >= 0x1p63 { return -1 }
    if right < -0x1p63 { return 1 }
    let floor = right.rounded(.down)
    let whole = Int(floor)
    if left != whole { return left < whole ? -1 : 1 }
    return floor < right ? -1 : 0
  }

  /// Whether `left < right`, or `<=`.
  func precedes(_ left: Value, _ right: Value, orEqual: Bool = false) throws(TemplateError) -> Bool {
    try charge()
    if let left = Number(left), let right = Number(right) {
      guard let order = order(left, right) else { return false }
      return order < 0 || orEqual && order == 0
    }
    switch (left, right) {
    case (.undefined(let reason), _), (_, .undefined(let reason)):
      throw .undefined(line: line, reason: reason)
    case (.text(let left), .text(let right)):
      try charge(bytes: min(left.bytes.count, right.bytes.count))
      return left < right || orEqual && left == right
    case (.list(let left), .list(let right)): return try precedes(left.items, right.items, orEqual)
    case (.tuple(let left), .tuple(let right)), (.tuple(let left), .group(let right)),
      (.group(let left), .tuple(let right)), (.group(let left), .group(let right)):
      return try precedes(left.items, right.items, orEqual)
    case (.safe, _), (_, .safe), (.view, .view):
      throw unsupported("the order of a \(left.typeName) and a \(right.typeName)")
    default: throw invalid("a \(left.typeName) and a \(right.typeName) have no order")
    }
  }

  private func precedes(_ left: [Value], _ right: [Value], _ orEqual: Bool) throws(TemplateError) -> Bool {
    for (left, right) in zip(left, right) where try !equal(left, right) {
      return try precedes(left, right, orEqual: orEqual)
    }
    return left.count < right.count || orEqual && left.count == right.count
  }

  // MARK: Membership

  func contains(_ container: Value, _ value: Value) throws(TemplateError) -> Bool {
    switch container {
    case .text(let text), .safe(let text):
      switch value {
      case .text(let part), .safe(let part):
        try charge(bytes: text.bytes.count)
        return text.contains(part)
      default: throw invalid("only text can be in text, not a \(value.typeName)")
      }
    case .dictionary(let dictionary), .view(let dictionary, .keys):
      return dictionary[try hashed(value)] != nil
    case .list, .tuple, .group, .range, .iterator, .undefined, .view:
      let iterator = try iterate(container)
      while let item = try iterator.next(self) { if try equal(item, value) { return true } }
      return false
    case .loop: throw unsupported("'in loop'")
    case .none, .boolean, .integer, .float, .namespace, .function:
      throw invalid("nothing can be in a \(container.typeName)")
    }
  }

  /// Sorts by keys, stably. The smaller key comes first, or last where `isReversed`.
  func sorted(
    _ items: [(key: Value, value: Value)], isReversed: Bool
  ) throws(TemplateError) -> [(key: Value, value: Value)] {
    guard items.count > 1 else { return items }
    let middle = items.count / 2
    let left = try sorted(Array(items[..<middle]), isReversed: isReversed)
    let right = try sorted(Array(items[middle...]), isReversed: isReversed)
    var merged: [(key: Value, value: Value)] = []
    merged.reserveCapacity(items.count)
    var (first, second) = (0, 0)
    while first < left.count, second < right.count {
      let takesRight =
        isReversed
        ? try precedes(left[first].key, right[second].key) : try precedes(right[second].key, left[first].key)
      if takesRight {
        merged.append(right[second])
        second += 1
      } else {
        merged.append(left[first])
        first += 1
      }
    }
    return merged + left[first...] + right[second...]
  }
}
