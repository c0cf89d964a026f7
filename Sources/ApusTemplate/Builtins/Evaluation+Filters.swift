extension Evaluation {
  /// `value|filter(arguments)`
  func apply(_ filter: Filter, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let name = filter.rawValue
    switch filter {
    case .capitalize, .lower, .upper, .title, .wordcount, .string, .safe, .escape, .abs, .first, .last,
      .length,
      .list, .items, .reverse:
      _ = try bindPositional(arguments, to: name, counts: 0...0)
      return try applyPlain(filter, value)
    case .fallback:
      let given = try bind(arguments, to: name, ["default_value", "boolean"])
      let isMissing = value.isUndefined || (given[1]?.isTrue ?? false) && !value.isTrue
      return isMissing ? given[0] ?? .text("") : value
    case .center:
      let given = try bind(arguments, to: name, ["width"])
      let width = try given[0].map { (width) throws(TemplateError) in try index(width) } ?? 80
      return try padded(try softText(value), width: width, .center, " ")
    case .trim:
      let text = try softText(value)
      try charge(bytes: text.bytes.count)
      return .text(try stripped(text, try bind(arguments, to: name, ["chars"])[0]))
    case .replace: return try replaced(value, arguments)
    case .indent: return try indented(value, arguments)
    case .truncate: return try truncated(value, arguments)
    case .format:
      let text = try softText(value)
      if arguments.named.isEmpty { return try percentFormat(text, .tuple(arguments.positional)) }
      guard arguments.positional.isEmpty else { throw invalid("arguments with and without names") }
      let members = ValueDictionary()
      for (name, value) in arguments.named { members.set(name, value) }
      return try percentFormat(text, .dictionary(members))
    case .tojson: return try toJSON(value, arguments)
    case .int: return try toInteger(value, arguments)
    case .float: return try toFloat(value, arguments)
    case .round: return try rounded(value, arguments)
    default: return try applyToItems(filter, value, arguments)
    }
  }

  private func applyPlain(_ filter: Filter, _ value: Value) throws(TemplateError) -> Value {
    switch filter {
    case .capitalize, .lower, .upper, .title, .wordcount:
      let text = try softText(value)
      try charge(bytes: text.bytes.count)
      switch filter {
      case .capitalize: return try self.text(text.capitalized())
      case .lower: return try self.text(text.lowercased())
      case .upper: return try self.text(text.uppercased())
      case .title: return try self.text(text.filterTitle())
      default: return .integer(text.wordCount)
      }
    case .string:
      if case .safe = value { return value }
      return .text(try string(value))
    case .safe: return .safe(try string(value))
    case .escape:
      if case .safe = value { return value }
      return .safe(try escaped(try string(value)))
    case .abs: return try absolute(value)
    case .first:
      return try iterate(value).next(self) ?? .undefined(reason: "the first of no items")
    case .last: return try last(value)
    case .length:
      if case .text(let text) = value { try charge(bytes: text.bytes.count) }
      if case .loop(let state) = value { return .integer(try state.count(self)) }
      guard let length = length(of: value) else { throw invalid("a \(value.typeName) has no length") }
      return .integer(length)
    case .list: return try list(try items(of: value))
    case .items: return try itemPairs(value)
    default: return try reversed(value)
    }
  }

  private func escaped(_ text: TemplateText) throws(TemplateError) -> TemplateText {
    try charge(bytes: text.bytes.count * 5)
    let result = TemplateText(
      bytes: text.bytes.flatMap { byte -> [UInt8] in
        switch byte {
        case UInt8(ascii: "&"): Array("&amp;".utf8)
        case UInt8(ascii: "<"): Array("&lt;".utf8)
        case UInt8(ascii: ">"): Array("&gt;".utf8)
        case UInt8(ascii: "'"): Array("&#39;".utf8)
        case UInt8(ascii: "\""): Array("&#34;".utf8)
        default: [byte]
        }
      })
    try checkLength(result.bytes.count)
    return result
  }

  private func absolute(_ value: Value) throws(TemplateError) -> Value {
    switch Number(value) {
    case .integer(let value):
      guard value != .min else { throw .integerOverflow(line: line) }
      return .integer(Swift.abs(value))
    case .float(let value): return .float(value.magnitude)
    case nil: throw invalid("a \(value.typeName) has no absolute value")
    }
  }

  private func last(_ value: Value) throws(TemplateError) -> Value {
    switch value {
    case .iterator, .loop: throw invalid("a \(value.typeName) has no last item before it was gone through")
    default: return try items(of: value).last ?? .undefined(reason: "the last of no items")
    }
  }

  private func itemPairs(_ value: Value) throws(TemplateError) -> Value {
    switch value {
    case .undefined: return .iterator(iterator([], 1))
    case .dictionary(let dictionary):
      return try checked(.iterator(iterator(dictionary.elements(.items), dictionary.depth + 1)))
    default:
      // Python finds out when the first pair is asked for.
      return .iterator(
        ValueIterator { (evaluation) throws(TemplateError) in
          throw evaluation.invalid("a \(value.typeName) has no pairs of key and value")
        })
    }
  }

  private func reversed(_ value: Value) throws(TemplateError) -> Value {
    switch value {
    case .text(let text):
      try charge(bytes: text.bytes.count)
      return .text(TemplateText(text.scalars.reversed()))
    case .safe: throw unsupported("the reverse of text marked as safe")
    case .iterator: return try list(try items(of: value).reversed())
    default: return try checked(.iterator(iterator(try items(of: value).reversed(), value.depth)))
    }
  }

  // MARK: Text

  private func replaced(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "replace", ["old", "new", "count"], required: 2)
    let limit: Int
    if let count = given[2], !count.isNone { limit = try index(count) } else { limit = -1 }
    let text = try string(value)
    try charge(bytes: text.bytes.count)
    return try replace(text, try string(given[0]!), try string(given[1]!), limit: limit)
  }

  private func indented(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "indent", ["width", "first", "blank"])
    var indentation = TemplateText("    ")
    if case .text(let text)? = given[0] {
      indentation = text
    } else if let width = given[0] {
      let width = max(0, try index(width))
      try checkLength(width)
      indentation = TemplateText(String(repeating: " ", count: width))
    }
    var text = try plainText(value)
    text.bytes.append(UInt8(ascii: "\n"))
    let lines = text.lines()
    try checkLength(text.bytes.count)
    let (added, overflow) = lines.count.multipliedReportingOverflow(by: indentation.bytes.count)
    try checkLength(overflow ? .max : added)
    let indentsBlank = given[2]?.isTrue ?? false
    var result = given[1]?.isTrue ?? false ? indentation.bytes : []
    for (index, line) in lines.enumerated() {
      if index > 0 {
        result.append(UInt8(ascii: "\n"))
        if indentsBlank || !line.isEmpty { result += indentation.bytes }
      }
      result += line.bytes
    }
    return try self.text(TemplateText(bytes: result))
  }

  private func truncated(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "truncate", ["length", "killwords", "end", "leeway"])
    let text = try plainText(value)
    let length = try given[0].map { (value) throws(TemplateError) in try index(value) } ?? 255
    let end = try given[2].map { (value) throws(TemplateError) in try plainText(value) } ?? "..."
    var leeway = 5
    if let value = given[3], !value.isNone { leeway = try index(value) }
    guard length >= end.count, leeway >= 0, length < 1 << 32, leeway < 1 << 32 else {
      throw invalid("a length shorter than the end, or a leeway below 0")
    }
    try charge(bytes: text.bytes.count)
    let starts = text.scalarStarts
    guard starts.count - 1 > length + leeway else { return value }
    var kept = TemplateText(text.bytes[..<starts[length - end.count]])
    if !(given[1]?.isTrue ?? false) { kept = kept.split(by: " ", limit: 1, fromBack: true)[0] }
    return .text(TemplateText(bytes: kept.bytes + end.bytes))
  }

  private func toJSON(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let given = try bind(arguments, to: "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
    var style = JSONStyle()
    style.escapesNonASCII = given[0]?.isTrue ?? false
    style.sortsKeys = given[3]?.isTrue ?? false
    if let indent = given[1], !indent.isNone {
      if case .text(let text) = indent {
        style.indentation = text
      } else {
        let width = max(0, try index(indent))
        try checkLength(width)
        style.indentation = TemplateText(String(repeating: " ", count: width))
      }
      style.itemSeparator = ","
    }
    if let separators = given[2], !separators.isNone {
      let pair = try items(of: separators)
      guard pair.count == 2 else { throw invalid("separators are two texts") }
      style.itemSeparator = try plainText(pair[0])
      style.keySeparator = try plainText(pair[1])
    }
    return try text(try json(value, style))
  }
}

extension TemplateText {
  /// Words begin after white space and opening brackets, and are in lower case but for their first letter.
  fileprivate func filterTitle() -> TemplateText {
    let opening: Set<Unicode.Scalar> = ["-", "(", "{", "[", "<"]
    var result = TemplateText()
    var word: [Unicode.Scalar] = []
    func flush() {
      guard let first = word.first else { return }
      result.bytes += TemplateText(CollectionOfOne(first)).uppercased().bytes
      result.bytes += TemplateText(word.dropFirst()).lowercased().bytes
      word = []
    }
    for scalar in string.unicodeScalars {
      if scalar.isTemplateSpace || opening.contains(scalar) {
        flush()
        result.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    flush()
    return result
  }

  fileprivate var wordCount: Int {
    var count = 0
    var isInWord = false
    for scalar in string.unicodeScalars {
      let isWord = scalar == "_" || scalar.isTemplateLetter || scalar.properties.numericType != nil
      if isWord, !isInWord { count += 1 }
      isInWord = isWord
    }
    return count
  }
}
