/// Methods of Python's `str` that templates may call.
enum StringMethod: String {
  case capitalize, center, count, encode, endswith, expandtabs, find, format, index, isalnum, isalpha, isascii
  case isdecimal, isdigit, islower, isnumeric, isspace, istitle, isupper, join, ljust, lower, lstrip,
    partition
  case removeprefix, removesuffix, replace, rfind, rindex, rjust, rpartition, rsplit, rstrip, split,
    splitlines
  case startswith, strip, swapcase, title, upper, zfill, casefold, maketrans, translate, isidentifier
  case isprintable
  case formatMap = "format_map"
}

extension Evaluation {
  func callString(
    _ text: TemplateText, _ method: StringMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    try charge(bytes: text.bytes.count)
    switch method {
    case .format: return try self.text(try braceFormat(text, arguments))
    case .split, .rsplit: return try split(text, arguments, fromBack: method == .rsplit)
    case .splitlines:
      let values = try bind(arguments, to: "splitlines", ["keepends"])
      return try list(text.lines(keepingEnds: values[0]?.isTrue ?? false).map { .text($0) })
    case .encode, .expandtabs, .casefold, .maketrans, .translate, .isidentifier, .isprintable, .formatMap:
      throw unsupported("the method '\(method.rawValue)'")
    case .strip, .lstrip, .rstrip:
      let values = try bindPositional(arguments, to: method.rawValue, counts: 0...1)
      return .text(
        try stripped(text, values.first, left: method != .rstrip, right: method != .lstrip))
    case .startswith, .endswith: return try hasAffix(text, method, arguments)
    case .find, .rfind, .index, .rindex, .count: return try search(text, method, arguments)
    case .replace:
      let values = try bindPositional(arguments, to: "replace", counts: 2...3)
      let limit = try values.count > 2 ? index(values[2]) : -1
      return try replace(text, try plainText(values[0]), try plainText(values[1]), limit: limit)
    case .join:
      let values = try bindPositional(arguments, to: "join", counts: 1...1)
      return try joined(try items(of: values[0]), by: text) { (item) throws(TemplateError) in
        try plainText(item)
      }
    case .partition, .rpartition: return try partition(text, method, arguments)
    case .removeprefix, .removesuffix: return try removeAffix(text, method, arguments)
    case .center, .ljust, .rjust: return try padded(text, method, arguments)
    case .zfill:
      let values = try bindPositional(arguments, to: "zfill", counts: 1...1)
      return try zeroFilled(text, try index(values[0]))
    default:
      _ = try bindPositional(arguments, to: method.rawValue, counts: 0...0)
      return try callPlain(text, method)
    }
  }

  private func callPlain(_ text: TemplateText, _ method: StringMethod) throws(TemplateError) -> Value {
    switch method {
    case .capitalize: return try self.text(text.capitalized())
    case .lower: return try self.text(text.lowercased())
    case .upper: return try self.text(text.uppercased())
    case .title: return try self.text(text.titlecased())
    case .swapcase: return try self.text(text.swappedCase())
    case .isalnum: return .boolean(text.isAlphanumeric)
    case .isalpha: return .boolean(text.isAlpha)
    case .isascii: return .boolean(text.isASCII)
    case .isdecimal: return .boolean(text.isDecimal)
    case .isdigit: return .boolean(text.isDigit)
    case .islower: return .boolean(text.isLower)
    case .isnumeric: return .boolean(text.isNumeric)
    case .isspace: return .boolean(text.isSpace)
    case .istitle: return .boolean(text.isTitle)
    case .isupper: return .boolean(text.isUpper)
    default: throw unsupported("the method '\(method.rawValue)'")
    }
  }

  func stripped(
    _ text: TemplateText, _ characters: Value?, left: Bool = true, right: Bool = true
  ) throws(TemplateError) -> TemplateText {
    guard let characters, case let given = characters, !given.isNone else {
      return text.stripped(left: left, right: right)
    }
    let set = Set(try plainText(given).scalars)
    return text.stripped(left: left, right: right) { set.contains($0) }
  }

  func replace(
    _ text: TemplateText, _ old: TemplateText, _ new: TemplateText, limit: Int
  ) throws(TemplateError) -> Value {
    var found = text.occurrences(of: old)
    if limit >= 0 { found = min(found, limit) }
    let (added, overflow) = found.multipliedReportingOverflow(by: new.bytes.count)
    try checkLength(overflow ? .max : added)
    return try self.text(text.replacing(old, with: new, limit: limit))
  }

  func joined(
    _ items: [Value], by separator: TemplateText, _ text: (Value) throws(TemplateError) -> TemplateText
  ) throws(TemplateError) -> Value {
    var result = TemplateText()
    for (index, item) in items.enumerated() {
      if index > 0 { result.bytes += separator.bytes }
      let piece = try text(item)
      result.bytes += piece.bytes
      try charge(bytes: piece.bytes.count + separator.bytes.count)
      guard result.bytes.count <= limits.textByteCountMax else {
        throw .tooMuchText(line: line, limit: limits.textByteCountMax)
      }
    }
    return .text(result)
  }

  private func split(
    _ text: TemplateText, _ arguments: CallArguments, fromBack: Bool
  ) throws(TemplateError) -> Value {
    let values = try bind(arguments, to: "split", ["sep", "maxsplit"])
    let limit = try values[1].map { (value) throws(TemplateError) in try index(value) } ?? -1
    guard let separator = values[0], !separator.isNone else {
      let words = fromBack && limit >= 0 ? text.wordsFromBack(limit: limit) : text.words(limit: limit)
      return try list(words.map { .text($0) })
    }
    let needle = try plainText(separator)
    guard !needle.isEmpty else { throw invalid("an empty separator") }
    return try list(text.split(by: needle, limit: limit, fromBack: fromBack).map { .text($0) })
  }

  /// The bytes that optional bounds, counted in scalars, leave of a text; nil where they leave none.
  private func bounded(
    _ text: TemplateText, _ bounds: ArraySlice<Value>
  ) throws(TemplateError) -> Range<Int>? {
    let starts = text.scalarStarts
    let count = starts.count - 1
    func bound(_ place: Int, default value: Int) throws(TemplateError) -> Int {
      guard bounds.indices.contains(place), !bounds[place].isNone else { return value }
      let index = try index(bounds[place])
      return max(0, index < 0 ? index + count : index)
    }
    let low = try bound(bounds.startIndex, default: 0)
    let high = min(count, try bound(bounds.startIndex + 1, default: count))
    return low > high ? nil : starts[low]..<starts[high]
  }

  private func hasAffix(
    _ text: TemplateText, _ method: StringMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let values = try bindPositional(arguments, to: method.rawValue, counts: 1...3)
    let range = try bounded(text, values.dropFirst())
    let affixes: [Value]
    switch values[0] {
    case .tuple(let array), .group(let array): affixes = array.items
    default: affixes = [values[0]]
    }
    for affix in affixes {
      let affix = try plainText(affix)
      guard let range else { continue }
      let part = TemplateText(text.bytes[range])
      if method == .startswith ? part.hasPrefix(affix) : part.hasSuffix(affix) { return .boolean(true) }
    }
    return .boolean(false)
  }

  private func search(
    _ text: TemplateText, _ method: StringMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let values = try bindPositional(arguments, to: method.rawValue, counts: 1...3)
    let needle = try plainText(values[0])
    let range = try bounded(text, values.dropFirst())
    if method == .count {
      return .integer(range.map { TemplateText(text.bytes[$0]).occurrences(of: needle) } ?? 0)
    }
    let isLast = method == .rfind || method == .rindex
    let found = range.flatMap {
      isLast ? text.lastIndex(of: needle, in: $0) : text.firstIndex(of: needle, in: $0)
    }
    if let found { return .integer(text.scalarOffset(of: found)) }
    guard method == .find || method == .rfind else { throw invalid("the text is not found") }
    return .integer(-1)
  }

  private func partition(
    _ text: TemplateText, _ method: StringMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let values = try bindPositional(arguments, to: method.rawValue, counts: 1...1)
    let separator = try plainText(values[0])
    guard !separator.isEmpty else { throw invalid("an empty separator") }
    let pieces = text.split(by: separator, limit: 1, fromBack: method == .rpartition)
    if pieces.count == 2 { return .tuple([.text(pieces[0]), .text(separator), .text(pieces[1])]) }
    return method == .partition
      ? .tuple([.text(text), .text(""), .text("")]) : .tuple([.text(""), .text(""), .text(text)])
  }

  private func removeAffix(
    _ text: TemplateText, _ method: StringMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let values = try bindPositional(arguments, to: method.rawValue, counts: 1...1)
    let affix = try plainText(values[0])
    if method == .removeprefix {
      return .text(text.hasPrefix(affix) ? TemplateText(text.bytes[affix.bytes.count...]) : text)
    }
    return .text(text.hasSuffix(affix) ? TemplateText(text.bytes.dropLast(affix.bytes.count)) : text)
  }

  private func padded(
    _ text: TemplateText, _ method: StringMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let values = try bindPositional(arguments, to: method.rawValue, counts: 1...2)
    let fill = try values.count > 1 ? plainText(values[1]) : " "
    guard fill.count == 1 else { throw invalid("the fill must be one character") }
    return try padded(text, width: try index(values[0]), method, fill)
  }

  func padded(
    _ text: TemplateText, width: Int, _ method: StringMethod, _ fill: TemplateText
  ) throws(TemplateError) -> Value {
    let count = text.count
    guard width > count else { return .text(text) }
    try checkLength(width)
    let missing = width - count
    let left =
      switch method {
      case .ljust: 0
      case .rjust: missing
      // As Python rounds: an odd one goes left where the width is odd.
      default: missing / 2 + (missing & width & 1)
      }
    func filling(_ count: Int) -> [UInt8] { Array(repeatElement(fill.bytes, count: count).joined()) }
    return try self.text(TemplateText(bytes: filling(left) + text.bytes + filling(missing - left)))
  }

  private func zeroFilled(_ text: TemplateText, _ width: Int) throws(TemplateError) -> Value {
    let missing = width - text.count
    guard missing > 0 else { return .text(text) }
    try checkLength(width)
    var bytes = text.bytes
    let hasSign = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
    bytes.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: missing), at: hasSign ? 1 : 0)
    return .text(TemplateText(bytes: bytes))
  }
}

extension Value {
  var isNone: Bool { if case .none = self { true } else { false } }
}
