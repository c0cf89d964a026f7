/// A value of a template: Python's types, as far as templates meet them.
///
/// Lists and dictionaries do not change once made, as in Jinja's immutable sandbox; a namespace does, and is a
/// number that its evaluation knows, so that no value can hold itself.
enum Value {
  /// With what is said when it is used for more than printing and asking.
  case undefined(reason: String)
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case text(TemplateText)
  /// Text marked as safe. What is done to it other than printing escapes the other side.
  case safe(TemplateText)
  case list(ValueArray)
  case tuple(ValueArray)
  /// A tuple of `groupby`, with the names `grouper` and `list`.
  case group(ValueArray)
  case dictionary(ValueDictionary)
  case view(ValueDictionary, DictionaryView)
  case range(ValueRange)
  case iterator(ValueIterator)
  case namespace(Int)
  case loop(LoopState)
  case function(Function)
}

enum DictionaryView: String { case keys, values, items }

enum Function {
  case range, dictionary, namespace, raiseException, formatTime
  /// A macro by its place in the evaluation.
  case macro(Int)
  indirect case method(Value, String)
}

/// The values of a list or tuple.
final class ValueArray {
  let items: [Value]
  /// How deep lists and dictionaries are nested in it, itself included.
  let depth: Int

  init(_ items: [Value]) {
    self.items = items
    depth = 1 + items.reduce(0) { max($0, $1.depth) }
  }
}

/// The numbers of `range(start, stop, step)`.
struct ValueRange {
  let start: Int
  let stop: Int
  let step: Int
  let count: Int

  subscript(index: Int) -> Int { start + index * step }
}

/// Values one after another, each made when it is asked for and only once.
final class ValueIterator {
  typealias Step = (Evaluation) throws(TemplateError) -> Value?

  /// How deep iterators are nested in it, itself included.
  let depth: Int
  private var step: Step?

  init(depth: Int = 1, _ step: @escaping Step) {
    self.depth = depth
    self.step = step
  }

  /// The next value; nil at the end, and from then on.
  func next(_ evaluation: Evaluation) throws(TemplateError) -> Value? {
    guard let step else { return nil }
    try evaluation.charge()
    evaluation.depth += 1
    defer { evaluation.depth -= 1 }
    guard evaluation.depth <= evaluation.depthMax else { throw evaluation.tooDeep() }
    do {
      if let value = try step(evaluation) { return value }
    } catch {
      self.step = nil
      throw error
    }
    self.step = nil
    return nil
  }
}

extension Value {
  /// How deep values are nested in it; what has no parts has 0.
  var depth: Int {
    switch self {
    case .list(let array), .tuple(let array), .group(let array): array.depth
    case .dictionary(let dictionary), .view(let dictionary, _): dictionary.depth
    case .iterator(let iterator): iterator.depth
    case .function(.method(let receiver, _)): 1 + receiver.depth
    default: 0
    }
  }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }

  /// The name of the type, as Python gives it.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .boolean: "bool"
    case .integer: "int"
    case .float: "float"
    case .text: "str"
    case .safe: "Markup"
    case .list: "list"
    case .tuple, .group: "tuple"
    case .dictionary: "dict"
    case .view(_, let view): "dict_\(view.rawValue)"
    case .range: "range"
    case .iterator: "generator"
    case .namespace: "Namespace"
    case .loop: "LoopContext"
    case .function: "function"
    }
  }

  /// What `if` sees.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .float(let value): value != 0
    case .text(let text), .safe(let text): !text.isEmpty
    case .list(let array), .tuple(let array), .group(let array): !array.items.isEmpty
    case .dictionary(let dictionary), .view(let dictionary, _): dictionary.count > 0
    case .range(let range): range.count > 0
    case .iterator, .namespace, .loop, .function: true
    }
  }

  static func text(_ string: String) -> Value { .text(TemplateText(string)) }
  static func list(_ items: [Value]) -> Value { .list(ValueArray(items)) }
  static func tuple(_ items: [Value]) -> Value { .tuple(ValueArray(items)) }
}
