/// A key as a dictionary compares it: `1`, `1.0` and `True` are one key.
enum DictionaryKey: Hashable {
  case none
  case undefined
  case integer(Int)
  case float(Double)
  case text(TemplateText)
  case tuple([DictionaryKey])
  case namespace(Int)

  /// Nil for what Python cannot hash.
  init?(_ value: Value) {
    switch value {
    case .undefined: self = .undefined
    case .none: self = .none
    case .boolean(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .float(let value):
      if let integer = Int(exactly: value) { self = .integer(integer) } else { self = .float(value) }
    case .text(let text), .safe(let text): self = .text(text)
    case .tuple(let array), .group(let array):
      var keys: [DictionaryKey] = []
      for item in array.items {
        guard let key = DictionaryKey(item) else { return nil }
        keys.append(key)
      }
      self = .tuple(keys)
    case .namespace(let index): self = .namespace(index)
    case .list, .dictionary, .view, .range, .iterator, .loop, .function: return nil
    }
  }
}

/// A dictionary in the order its keys came.
final class ValueDictionary {
  private(set) var keys: [Value] = []
  private(set) var values: [Value] = []
  private var positions: [DictionaryKey: Int] = [:]
  /// How deep values are nested in it, itself included.
  private(set) var depth = 1

  var count: Int { keys.count }

  subscript(key: DictionaryKey) -> Value? { positions[key].map { values[$0] } }

  subscript(name: String) -> Value? { self[.text(TemplateText(name))] }

  /// Sets a value while the dictionary is being made. A key that is there keeps its place.
  func set(_ key: DictionaryKey, _ name: Value, _ value: Value) {
    depth = max(depth, 1 + value.depth, 1 + name.depth)
    if let position = positions[key] {
      values[position] = value
    } else {
      positions[key] = keys.count
      keys.append(name)
      values.append(value)
    }
  }

  func set(_ name: String, _ value: Value) {
    let text = TemplateText(name)
    set(.text(text), .text(text), value)
  }

  func copy() -> ValueDictionary {
    let copy = ValueDictionary()
    copy.keys = keys
    copy.values = values
    copy.positions = positions
    copy.depth = depth
    return copy
  }

  /// The keys, the values, or pairs of both.
  func elements(_ view: DictionaryView) -> [Value] {
    switch view {
    case .keys: keys
    case .values: values
    case .items: zip(keys, values).map { .tuple([$0, $1]) }
    }
  }
}
