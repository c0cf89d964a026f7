/// Filters that go through items. Those that are generators in Jinja are iterators here: they read an item when
/// one is asked of them, can be gone through once, have no length, and are true even when nothing is in them.
extension Evaluation {
  func applyToItems(
    _ filter: Filter, _ value: Value, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    switch filter {
    case .join: return try join(value, arguments)
    case .map:
      return try lazy(value, arguments) { (evaluation, value, arguments) throws(TemplateError) in
        try evaluation.map(value, arguments)
      }
    case .select, .reject, .selectattr, .rejectattr:
      return try lazy(value, arguments) { (evaluation, value, arguments) throws(TemplateError) in
        try evaluation.select(value, filter, arguments)
      }
    case .unique: return try unique(value, arguments)
    case .batch: return try batch(value, arguments)
    case .slice: return try slices(value, arguments)
    case .sort: return try sort(value, arguments)
    case .dictsort: return try sortDictionary(value, arguments)
    case .groupby: return try group(value, arguments)
    case .min, .max: return try extreme(value, filter, arguments)
    case .sum: return try sum(value, arguments)
    default: preconditionFailure("not a filter of items")
    }
  }

  /// An iterator whose making waits until its first item is asked for.
  private func lazy(
    _ value: Value, _ arguments: CallArguments,
    _ make: @escaping (Evaluation, Value, CallArguments) throws(TemplateError) -> ValueIterator
  ) throws(TemplateError) -> Value {
    let depth = (arguments.positional + arguments.named.map(\.value)).reduce(value.depth) {
      max($0, $1.depth)
    }
    var iterator: ValueIterator?
    return try checked(
      .iterator(
        ValueIterator(depth: depth + 1) { (evaluation) throws(TemplateError) in
          if iterator == nil { iterator = try make(evaluation, value, arguments) }
          return try iterator!.next(evaluation)
        }))
  }

  // MARK: Attributes

  /// `a.0.b` as its parts.
  func path(_ attribute: Value?) -> [Value] {
    guard let attribute, !attribute.isNone else { return [] }
    guard case .text(let text) = attribute else { return [attribute] }
    return text.split(by: ".", limit: -1, fromBack: false).map { part in
      part.isDigit ? Int(part.string).map { .integer($0) } ?? .text(part) : .text(part)
    }
  }

  func follow(_ path: [Value], from value: Value, default fallback: Value? = nil) throws(TemplateError)
    -> Value
  {
    var value = value
    for part in path {
      value = try item(value, part)
      if let fallback, !fallback.isNone, value.isUndefined { value = fallback }
    }
    return value
  }

  /// The value that is compared for another: text in lower case, unless case counts.
  private func comparable(_ value: Value, caseSensitive: Bool) throws(TemplateError) -> Value {
    guard !caseSensitive else { return value }
    switch value {
    case .text(let text):
      try charge(bytes: text.bytes.count)
      return .text(text.lowercased())
    case .safe: throw unsupported("the order of text marked as safe")
    default: return value
    }
  }

  // MARK: One item for one

  private func map(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> ValueIterator {
    guard value.isTrue else { return iterator([], 1) }
    if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
      let given = try bind(arguments, to: "map", ["attribute", "default"])
      let path = path(given[0])
      let source = try iterate(value)
      return ValueIterator { (evaluation) throws(TemplateError) in
        guard let item = try source.next(evaluation) else { return nil }
        return try evaluation.follow(path, from: item, default: given[1])
      }
    }
    guard let first = arguments.positional.first else { throw invalid("map needs a filter") }
    let filter = try TemplateParser.filter(try plainText(first).string, line: line)
    let rest = CallArguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
    let source = try iterate(value)
    return ValueIterator { (evaluation) throws(TemplateError) in
      guard let item = try source.next(evaluation) else { return nil }
      return try evaluation.apply(filter, to: item, rest)
    }
  }

  private func select(
    _ value: Value, _ filter: Filter, _ arguments: CallArguments
  ) throws(TemplateError) -> ValueIterator {
    guard value.isTrue else { return iterator([], 1) }
    var positional = arguments.positional[...]
    var attributePath: [Value] = []
    if filter == .selectattr || filter == .rejectattr {
      guard let attribute = positional.popFirst() else {
        throw invalid("\(filter.rawValue) needs an attribute")
      }
      attributePath = path(attribute)
    }
    let wanted = filter == .select || filter == .selectattr
    var test: Test?
    if let name = positional.popFirst() {
      let name = try plainText(name).string
      test = Test(named: name)
      if test == nil { throw invalid("no test is named '\(name)'") }
    }
    let rest = CallArguments(positional: Array(positional), named: arguments.named)
    let source = try iterate(value)
    return ValueIterator { (evaluation) throws(TemplateError) in
      while let item = try source.next(evaluation) {
        let tested = try evaluation.follow(attributePath, from: item)
        let holds = try test.map { (test) throws(TemplateError) in try evaluation.holds(test, tested, rest) }
        if (holds ?? tested.isTrue) == wanted { return item }
      }
      return nil
    }
  }

  private func unique(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "unique", ["case_sensitive", "attribute"])
    let caseSensitive = given[0]?.isTrue ?? false
    let path = path(given[1])
    var seen: Set<DictionaryKey> = []
    return try lazy(value, arguments) { (evaluation, value, _) throws(TemplateError) in
      let source = try evaluation.iterate(value)
      return ValueIterator { (evaluation) throws(TemplateError) in
        while let item = try source.next(evaluation) {
          let key = try evaluation.comparable(
            try evaluation.follow(path, from: item), caseSensitive: caseSensitive)
          if seen.insert(try evaluation.hashed(key)).inserted { return item }
        }
        return nil
      }
    }
  }

  // MARK: Pieces

  private func batch(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "batch", ["linecount", "fill_with"], required: 1)
    return try lazy(value, arguments) { (evaluation, value, _) throws(TemplateError) in
      let count = try evaluation.index(given[0]!)
      let source = try evaluation.iterate(value)
      var pending: Value?
      return ValueIterator { (evaluation) throws(TemplateError) in
        var items = pending.map { [$0] } ?? []
        pending = nil
        while let item = try source.next(evaluation) {
          if items.count == count, !items.isEmpty || count == 0 {
            pending = item
            return try evaluation.list(items)
          }
          items.append(item)
        }
        guard !items.isEmpty else { return nil }
        if let fill = given[1], !fill.isNone, items.count < count {
          try evaluation.charge(count - items.count)
          items += Array(repeating: fill, count: count - items.count)
        }
        return try evaluation.list(items)
      }
    }
  }

  private func slices(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "slice", ["slices", "fill_with"], required: 1)
    return try lazy(value, arguments) { (evaluation, value, _) throws(TemplateError) in
      let items = try evaluation.items(of: value)
      let count = try evaluation.index(given[0]!)
      guard count != 0 else { throw evaluation.invalid("no slices") }
      var made = 0
      var position = 0
      return ValueIterator { (evaluation) throws(TemplateError) in
        guard made < count else { return nil }
        let isLonger = made < items.count % count
        let end = position + items.count / count + (isLonger ? 1 : 0)
        var slice = Array(items[position..<end])
        if let fill = given[1], !fill.isNone, !isLonger { slice.append(fill) }
        position = end
        made += 1
        return try evaluation.list(slice)
      }
    }
  }

  // MARK: All items at once

  private func join(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "join", ["d", "attribute"])
    let separator = try given[0].map { (value) throws(TemplateError) in try string(value) } ?? ""
    let path = path(given[1])
    return try joined(try items(of: value), by: separator) { (item) throws(TemplateError) in
      try string(try follow(path, from: item))
    }
  }

  private func sort(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "sort", ["reverse", "case_sensitive", "attribute"])
    let caseSensitive = given[1]?.isTrue ?? false
    var paths = [path(given[2])]
    if case .text(let attributes)? = given[2] {
      paths = attributes.split(by: ",", limit: -1, fromBack: false).map { path(.text($0)) }
    }
    let keyed = try items(of: value).mapThrowing { (item) throws(TemplateError) in
      let keys = try paths.mapThrowing { (path) throws(TemplateError) in
        try comparable(try follow(path, from: item), caseSensitive: caseSensitive)
      }
      return (key: Value.list(keys), value: item)
    }
    return try list(try sorted(keyed, isReversed: given[0]?.isTrue ?? false).map(\.value))
  }

  private func sortDictionary(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "dictsort", ["case_sensitive", "by", "reverse"])
    let by = try given[1].map { (value) throws(TemplateError) in try plainText(value).string } ?? "key"
    guard by == "key" || by == "value" else { throw invalid("dictsort sorts by 'key' or 'value'") }
    guard case .dictionary(let dictionary) = value else {
      if case .undefined(let reason) = value { throw .undefined(line: line, reason: reason) }
      throw invalid("dictsort of a \(value.typeName)")
    }
    let caseSensitive = given[0]?.isTrue ?? false
    let keyed = try Array(zip(dictionary.keys, dictionary.values)).mapThrowing {
      (key, value) throws(TemplateError) in
      let compared = try comparable(by == "key" ? key : value, caseSensitive: caseSensitive)
      return (key: compared, value: Value.tuple([key, value]))
    }
    return try list(try sorted(keyed, isReversed: given[2]?.isTrue ?? false).map(\.value))
  }

  private func group(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "groupby", ["attribute", "default", "case_sensitive"], required: 1)
    let path = path(given[0])
    let caseSensitive = given[2]?.isTrue ?? false
    let keyed = try items(of: value).mapThrowing { (item) throws(TemplateError) in
      let found = try follow(path, from: item, default: given[1])
      return (key: try comparable(found, caseSensitive: caseSensitive), value: item)
    }
    var groups: [(key: Value, items: [Value])] = []
    for (key, item) in try sorted(keyed, isReversed: false) {
      if let last = groups.last, try equal(last.key, key) {
        groups[groups.count - 1].items.append(item)
      } else {
        groups.append((key, [item]))
      }
    }
    return try list(
      try groups.mapThrowing { (group) throws(TemplateError) in
        // The name as the first item has it, whatever its case.
        let name = try follow(path, from: group.items[0], default: given[1])
        return try checked(.group(ValueArray([name, .list(group.items)])))
      })
  }

  private func extreme(
    _ value: Value, _ filter: Filter, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: filter.rawValue, ["case_sensitive", "attribute"])
    let path = path(given[1])
    var best: (key: Value, value: Value)?
    for item in try items(of: value) {
      let key = try comparable(try follow(path, from: item), caseSensitive: given[0]?.isTrue ?? false)
      guard let current = best else {
        best = (key, item)
        continue
      }
      let isBetter = try filter == .min ? precedes(key, current.key) : precedes(current.key, key)
      if isBetter { best = (key, item) }
    }
    return best?.value ?? .undefined(reason: "the \(filter.rawValue) of no items")
  }

  private func sum(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "sum", ["attribute", "start"])
    let path = path(given[0])
    var total = given[1] ?? .integer(0)
    if case .text = total { throw invalid("a sum of texts") }
    for item in try items(of: value) { total = try arithmetic(.add, total, try follow(path, from: item)) }
    return total
  }
}
