extension Evaluation {
  /// `value.name`: an attribute of the type, else an item.
  func attribute(_ value: Value, _ name: String) throws(TemplateError) -> Value {
    if let found = try ownAttribute(value, name) { return found }
    if case .dictionary(let dictionary) = value, let found = dictionary[name] { return found }
    return .undefined(reason: "a \(value.typeName) has no attribute '\(name)'")
  }

  /// `value[key]`: an item, else an attribute of the type.
  func item(_ value: Value, _ key: Value) throws(TemplateError) -> Value {
    if let found = try ownItem(value, key) { return found }
    if case .text(let name) = key, let found = try ownAttribute(value, name.string) { return found }
    if case .safe(let name) = key, let found = try ownAttribute(value, name.string) { return found }
    return .undefined(reason: "a \(value.typeName) has no such element")
  }

  private func ownItem(_ value: Value, _ key: Value) throws(TemplateError) -> Value? {
    switch value {
    case .undefined(let reason): throw .undefined(line: line, reason: reason)
    case .dictionary(let dictionary):
      guard let key = DictionaryKey(key) else { return nil }
      if case .text(let text) = key { try charge(bytes: text.bytes.count) }
      return dictionary[key]
    case .list(let array), .tuple(let array), .group(let array):
      return position(key, count: array.items.count).map { array.items[$0] }
    case .range(let range): return position(key, count: range.count).map { .integer(range[$0]) }
    case .text(let text):
      try charge(bytes: text.bytes.count)
      if text.isASCII {
        return position(key, count: text.bytes.count).map { .text(TemplateText(bytes: [text.bytes[$0]])) }
      }
      let starts = text.scalarStarts
      return position(key, count: starts.count - 1).map {
        .text(TemplateText(text.bytes[starts[$0]..<starts[$0 + 1]]))
      }
    case .safe: throw unsupported("an item of text marked as safe")
    case .view, .none, .boolean, .integer, .float, .iterator, .namespace, .loop, .function: return nil
    }
  }

  /// The place an index names, counted from the back where it is negative; nil where there is none.
  private func position(_ key: Value, count: Int) -> Int? {
    let index: Int
    switch key {
    case .integer(let value): index = value
    case .boolean(let value): index = value ? 1 : 0
    default: return nil
    }
    let position = index < 0 ? count &+ index : index
    return 0..<count ~= position ? position : nil
  }

  /// What Python's type itself has under this name; nil for nothing.
  private func ownAttribute(_ value: Value, _ name: String) throws(TemplateError) -> Value? {
    switch value {
    case .undefined(let reason): throw .undefined(line: line, reason: reason)
    case .dictionary:
      if ["clear", "pop", "popitem", "setdefault", "update"].contains(name) { return unsafe(value, name) }
      guard ["items", "keys", "values", "get", "copy"].contains(name) else { return nil }
      return try method(value, name)
    case .list:
      if ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"].contains(name) {
        return unsafe(value, name)
      }
      return ["copy", "count", "index"].contains(name) ? try method(value, name) : nil
    case .tuple(let array), .group(let array):
      if case .group = value, name == "grouper" { return array.items[0] }
      if case .group = value, name == "list" { return array.items[1] }
      return ["count", "index"].contains(name) ? try method(value, name) : nil
    case .text, .safe:
      guard StringMethod(rawValue: name) != nil else { return nil }
      return try method(value, name)
    case .namespace(let index):
      guard !name.hasPrefix("_") else { return nil }
      return namespaces[index][name]
    case .loop(let state): return try loopAttribute(state, name)
    case .range(let range):
      return ["count", "index"].contains(name) ? try method(value, name) : rangeAttribute(range, name)
    case .integer, .boolean, .float:
      guard ["real", "imag", "numerator", "denominator"].contains(name) else { return nil }
      throw unsupported("the attribute '\(name)' of a number")
    case .function(.macro):
      guard ["name", "arguments", "caller", "catch_kwargs", "catch_varargs"].contains(name) else {
        return nil
      }
      throw unsupported("the attribute '\(name)' of a macro")
    case .view, .none, .iterator, .function: return nil
    }
  }

  private func method(_ receiver: Value, _ name: String) throws(TemplateError) -> Value {
    try checked(.function(.method(receiver, name)))
  }

  private func unsafe(_ value: Value, _ name: String) -> Value {
    .undefined(reason: "the method '\(name)' of a \(value.typeName) would change it, which no template may")
  }

  private func rangeAttribute(_ range: ValueRange, _ name: String) -> Value? {
    switch name {
    case "start": .integer(range.start)
    case "stop": .integer(range.stop)
    case "step": .integer(range.step)
    default: nil
    }
  }

  private func loopAttribute(_ state: LoopState, _ name: String) throws(TemplateError) -> Value? {
    switch name {
    case "index": return .integer(state.index0 + 1)
    case "index0": return .integer(state.index0)
    case "revindex": return .integer(try state.count(self) - state.index0)
    case "revindex0": return .integer(try state.count(self) - state.index0 - 1)
    case "length": return .integer(try state.count(self))
    case "first": return .boolean(state.index0 == 0)
    case "last": return .boolean(try state.upcoming(self) == nil)
    case "previtem": return state.previous ?? .undefined(reason: "there is no previous item")
    case "nextitem": return try state.upcoming(self) ?? .undefined(reason: "there is no next item")
    case "depth": return .integer(state.depth0 + 1)
    case "depth0": return .integer(state.depth0)
    case "cycle", "changed": return .function(.method(.loop(state), name))
    default: return nil
    }
  }
}

// MARK: - Slices

extension Evaluation {
  func slice(_ value: Value, _ start: Int?, _ stop: Int?, _ step: Int?) throws(TemplateError) -> Value {
    switch value {
    case .list(let array):
      return try list(try indices(array.items.count, start, stop, step).map { array.items[$0] })
    case .tuple(let array), .group(let array):
      return try tuple(try indices(array.items.count, start, stop, step).map { array.items[$0] })
    case .text(let text):
      try charge(bytes: text.bytes.count)
      let starts = text.scalarStarts
      let chosen = try indices(starts.count - 1, start, stop, step)
      if step ?? 1 == 1 {
        guard let first = chosen.first, let last = chosen.last else { return .text("") }
        return .text(TemplateText(text.bytes[starts[first]..<starts[last + 1]]))
      }
      return .text(TemplateText(bytes: chosen.flatMap { text.bytes[starts[$0]..<starts[$0 + 1]] }))
    case .undefined(let reason): throw .undefined(line: line, reason: reason)
    case .range(let range): return .range(try slice(range, start, stop, step))
    case .safe: throw unsupported("a slice of text marked as safe")
    default: throw invalid("a \(value.typeName) has no slices")
    }
  }

  private func slice(
    _ range: ValueRange, _ start: Int?, _ stop: Int?, _ step: Int?
  ) throws(TemplateError) -> ValueRange {
    let places = try stride(range.count, start, stop, step)
    let (newStep, overflow) = range.step.multipliedReportingOverflow(by: places.step)
    guard !overflow else { throw .integerOverflow(line: line) }
    let count = Array(Swift.stride(from: places.first, to: places.end, by: places.step)).count
    return ValueRange(start: range[places.first], stop: range[places.end], step: newStep, count: count)
  }

  /// The places that `[start:stop:step]` names in a sequence of `count`.
  private func indices(_ count: Int, _ start: Int?, _ stop: Int?, _ step: Int?) throws(TemplateError) -> [Int]
  {
    let places = try stride(count, start, stop, step)
    let chosen = Array(Swift.stride(from: places.first, to: places.end, by: places.step))
    try charge(chosen.count >> 2)
    return chosen
  }

  private func stride(
    _ count: Int, _ start: Int?, _ stop: Int?, _ step: Int?
  ) throws(TemplateError) -> (first: Int, end: Int, step: Int) {
    let step = step ?? 1
    guard step != 0 else { throw invalid("a slice whose step is 0") }
    func clamp(_ bound: Int?, _ low: Int, _ high: Int, default value: Int) -> Int {
      guard let bound else { return value }
      return min(max(bound < 0 ? bound + count : bound, low), high)
    }
    if step > 0 {
      return (clamp(start, 0, count, default: 0), clamp(stop, 0, count, default: count), step)
    }
    return (clamp(start, -1, count - 1, default: count - 1), clamp(stop, -1, count - 1, default: -1), step)
  }
}

// MARK: - Items one after another

extension Evaluation {
  /// An iterator over what `for` may go through.
  func iterate(_ value: Value) throws(TemplateError) -> ValueIterator {
    switch value {
    case .list(let array), .tuple(let array), .group(let array): return iterator(array.items, value.depth)
    case .dictionary(let dictionary): return iterator(dictionary.keys, value.depth)
    case .view(let dictionary, let view): return iterator(dictionary.elements(view), value.depth)
    case .text(let text), .safe(let text):
      try charge(bytes: text.bytes.count)
      return iterator(text.scalars.map { .text(TemplateText(CollectionOfOne($0))) }, 1)
    case .range(let range):
      var index = 0
      return ValueIterator { (_) throws(TemplateError) in
        guard index < range.count else { return nil }
        defer { index += 1 }
        return .integer(range[index])
      }
    case .iterator(let iterator): return iterator
    case .undefined: return iterator([], 1)
    case .loop: throw unsupported("going through 'loop'")
    case .none, .boolean, .integer, .float, .namespace, .function:
      throw invalid("a \(value.typeName) cannot be gone through")
    }
  }

  func iterator(_ items: [Value], _ depth: Int) -> ValueIterator {
    var index = 0
    return ValueIterator(depth: depth + 1) { (_) throws(TemplateError) in
      guard index < items.count else { return nil }
      defer { index += 1 }
      return items[index]
    }
  }

  func items(of value: Value) throws(TemplateError) -> [Value] {
    switch value {
    case .list(let array), .tuple(let array), .group(let array):
      try charge(array.items.count)
      return array.items
    default:
      let iterator = try iterate(value)
      var items: [Value] = []
      while let item = try iterator.next(self) { items.append(item) }
      return items
    }
  }

  /// `len(value)`; nil for what has none.
  func length(of value: Value) -> Int? {
    switch value {
    case .list(let array), .tuple(let array), .group(let array): array.items.count
    case .dictionary(let dictionary), .view(let dictionary, _): dictionary.count
    case .text(let text), .safe(let text): text.count
    case .range(let range): range.count
    case .undefined: 0
    case .none, .boolean, .integer, .float, .iterator, .namespace, .loop, .function: nil
    }
  }
}
