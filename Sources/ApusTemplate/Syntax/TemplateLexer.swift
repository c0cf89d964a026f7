/// Cuts a template's source into tokens, as Jinja does with `trim_blocks` and `lstrip_blocks`: the newline after
/// a tag of statements is no text, nor is white space between the line's begin and such a tag.
struct TemplateLexer {
  private let source: [UInt8]
  private var position = 0
  private var line = 1
  private var tokens: [TemplateToken] = []
  /// Whether what was read last ends a line.
  private var isLineStart = true

  /// - Parameter source: UTF-8.
  static func tokens(_ source: TemplateText) throws(TemplateError) -> [TemplateToken] {
    var lexer = TemplateLexer(source: normalizingNewlines(source.bytes))
    try lexer.run()
    return lexer.tokens
  }

  private init(source: [UInt8]) { self.source = source }

  /// Every kind of line end as "\n", and without the last one.
  private static func normalizingNewlines(_ source: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(source.count)
    for (index, byte) in source.enumerated() {
      if byte == UInt8(ascii: "\r") {
        result.append(UInt8(ascii: "\n"))
      } else if byte != UInt8(ascii: "\n") || index == 0 || source[index - 1] != UInt8(ascii: "\r") {
        result.append(byte)
      }
    }
    if result.last == UInt8(ascii: "\n") { result.removeLast() }
    return result
  }

  private func syntax(_ reason: String) -> TemplateError { .syntax(line: line, reason: reason) }

  private func byte(at index: Int) -> UInt8? { index < source.count ? source[index] : nil }

  private func matches(_ text: StaticString, at index: Int) -> Bool {
    guard index + text.utf8CodeUnitCount <= source.count else { return false }
    return (0..<text.utf8CodeUnitCount).allSatisfy { source[index + $0] == text.utf8Start[$0] }
  }

  /// The end of the white space that begins at `index`.
  private func afterSpace(_ index: Int) -> Int {
    var index = index
    while index < source.count {
      let length = source[index] < 0x80 ? 1 : source[index] < 0xE0 ? 2 : source[index] < 0xF0 ? 3 : 4
      let scalar = String(decoding: source[index..<min(index + length, source.count)], as: UTF8.self)
        .unicodeScalars.first!
      guard scalar.isTemplateSpace else { break }
      index += length
    }
    return index
  }

  private mutating func append(_ kind: TemplateToken.Kind) {
    tokens.append(TemplateToken(kind: kind, line: line))
  }

  private mutating func advance(to end: Int) {
    for index in position..<end where source[index] == UInt8(ascii: "\n") { line += 1 }
    if end > position { isLineStart = source[end - 1] == UInt8(ascii: "\n") }
    position = end
  }

  private mutating func run() throws(TemplateError) {
    while position < source.count { try readTextAndTag() }
    append(.end)
  }
}

// MARK: - Text and the begin of tags

extension TemplateLexer {
  private enum Tag { case raw, block, variable, comment }

  /// The next tag: where it begins, its sign ("-", "+" or none) and where what follows the sign begins.
  private func nextTag() -> (tag: Tag, start: Int, sign: UInt8?, end: Int)? {
    var index = position
    while index + 1 < source.count {
      defer { index += 1 }
      guard source[index] == UInt8(ascii: "{") else { continue }
      let tag: Tag
      switch source[index + 1] {
      case UInt8(ascii: "%"): tag = .block
      case UInt8(ascii: "{"): tag = .variable
      case UInt8(ascii: "#"): tag = .comment
      default: continue
      }
      var sign: UInt8?
      if let byte = byte(at: index + 2), byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
        sign = byte
      }
      let end = index + (sign == nil ? 2 : 3)
      if tag == .block, let rawEnd = rawBegin(after: end) { return (.raw, index, sign, rawEnd) }
      return (tag, index, sign, end)
    }
    return nil
  }

  /// The end of `raw %}`, if that is what follows.
  private func rawBegin(after index: Int) -> Int? {
    let name = afterSpace(index)
    guard matches("raw", at: name) else { return nil }
    let end = afterSpace(name + 3)
    if matches("-%}", at: end) { return afterSpace(end + 3) }
    return matches("%}", at: end) ? end + 2 : nil
  }

  private mutating func readTextAndTag() throws(TemplateError) {
    guard let (tag, start, sign, end) = nextTag() else {
      append(.data(TemplateText(source[position...])))
      advance(to: source.count)
      return
    }
    appendText(TemplateText(source[position..<start]), before: tag, sign: sign)
    advance(to: end)
    switch tag {
    case .block:
      append(.blockBegin)
      try readCode(isBlock: true)
    case .variable:
      append(.variableBegin)
      try readCode(isBlock: false)
    case .comment: try readComment()
    case .raw: try readRaw()
    }
  }

  private mutating func appendText(_ text: TemplateText, before tag: Tag, sign: UInt8?) {
    var text = text
    if sign == UInt8(ascii: "-") {
      text = text.stripped(left: false)
    } else if sign == nil, tag != .variable {
      let lineStart = (text.bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
      if lineStart > 0 || isLineStart, TemplateText(text.bytes[lineStart...]).isSpace {
        text = TemplateText(text.bytes[..<lineStart])
      }
    }
    if !text.isEmpty { append(.data(text)) }
  }

  /// The end of a tag that closes with `%}` or its like, whose newline is dropped.
  private func blockEnd(_ close: StaticString, at index: Int) -> Int? {
    switch source[index] {
    case UInt8(ascii: "+") where matches(close, at: index + 1): return index + 3
    case UInt8(ascii: "-") where matches(close, at: index + 1): return afterSpace(index + 3)
    default:
      guard matches(close, at: index) else { return nil }
      return byte(at: index + 2) == UInt8(ascii: "\n") ? index + 3 : index + 2
    }
  }

  private mutating func readComment() throws(TemplateError) {
    var index = position
    while index < source.count {
      if let end = blockEnd("#}", at: index) { return advance(to: end) }
      index += 1
    }
    throw syntax("a comment without end")
  }

  private mutating func readRaw() throws(TemplateError) {
    var index = position
    while index < source.count {
      defer { index += 1 }
      guard matches("{%", at: index) else { continue }
      var sign: UInt8?
      if let byte = byte(at: index + 2), byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
        sign = byte
      }
      let name = afterSpace(index + (sign == nil ? 2 : 3))
      guard matches("endraw", at: name) else { continue }
      let close = afterSpace(name + 6)
      guard close < source.count, let end = blockEnd("%}", at: close) else { continue }
      // Text inside `raw` is stripped before its end as text is before a statement.
      appendText(TemplateText(source[position..<index]), before: .raw, sign: sign)
      return advance(to: end)
    }
    throw syntax("'raw' without 'endraw'")
  }
}

// MARK: - Code

extension TemplateLexer {
  /// Reads tokens up to the end of the tag.
  private mutating func readCode(isBlock: Bool) throws(TemplateError) {
    var open: [TemplateToken.Symbol] = []
    while position < source.count {
      if open.isEmpty, let end = codeEnd(isBlock: isBlock) {
        append(isBlock ? .blockEnd : .variableEnd)
        return advance(to: end)
      }
      let next = afterSpace(position)
      if next > position {
        advance(to: next)
        continue
      }
      let byte = source[position]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): try readNumber()
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        readName()
      case UInt8(ascii: "'"), UInt8(ascii: "\""): try readString(quote: byte)
      default: try readSymbol(&open)
      }
    }
  }

  private func codeEnd(isBlock: Bool) -> Int? {
    if isBlock { return blockEnd("%}", at: position) }
    if matches("-}}", at: position) { return afterSpace(position + 3) }
    return matches("}}", at: position) ? position + 2 : nil
  }

  private mutating func readName() {
    var end = position
    while let byte = byte(at: end), byte == UInt8(ascii: "_") || isDigit(byte) || isLetter(byte) { end += 1 }
    append(.name(String(decoding: source[position..<end], as: UTF8.self)))
    advance(to: end)
  }

  private func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }
  private func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

  private mutating func readSymbol(_ open: inout [TemplateToken.Symbol]) throws(TemplateError) {
    guard source[position] < 0x80 else {
      throw .unsupported(line: line, feature: "a name with letters other than a-z")
    }
    let candidates = [2, 1].lazy.compactMap { [source, position] length in
      position + length <= source.count
        ? TemplateToken.Symbol(
          rawValue: String(decoding: source[position..<position + length], as: UTF8.self)) : nil
    }
    guard let symbol = candidates.first else {
      let character = String(decoding: [source[position]], as: UTF8.self).unicodeScalars.first!
      throw syntax("unexpected character '\(character.escaped(asASCII: true))'")
    }
    if let closing = symbol.closing {
      open.append(closing)
    } else if symbol.closes {
      guard let expected = open.popLast() else { throw syntax("unexpected '\(symbol.rawValue)'") }
      guard expected == symbol else {
        throw syntax("unexpected '\(symbol.rawValue)', expected '\(expected.rawValue)'")
      }
    }
    append(.symbol(symbol))
    advance(to: position + symbol.rawValue.utf8.count)
  }

  /// The end of digits, with single underscores between, that begin at `index`; nil where there are none.
  private func digitsEnd(_ index: Int, _ isDigit: (UInt8) -> Bool) -> Int? {
    guard let first = byte(at: index), isDigit(first) else { return nil }
    var end = index + 1
    while let next = byte(at: end) {
      if isDigit(next) {
        end += 1
      } else if next == UInt8(ascii: "_"), let after = byte(at: end + 1), isDigit(after) {
        end += 2
      } else {
        break
      }
    }
    return end
  }

  private func floatEnd() -> Int? {
    if position > 0, source[position - 1] == UInt8(ascii: ".") { return nil }
    guard var end = digitsEnd(position, isDigit) else { return nil }
    var isFloat = false
    if byte(at: end) == UInt8(ascii: "."), let fraction = digitsEnd(end + 1, isDigit) {
      end = fraction
      isFloat = true
    }
    if let letter = byte(at: end), letter | 0x20 == UInt8(ascii: "e") {
      let sign = byte(at: end + 1)
      let start = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") ? end + 2 : end + 1
      if let exponent = digitsEnd(start, isDigit) { return exponent }
    }
    return isFloat ? end : nil
  }

  private mutating func readNumber() throws(TemplateError) {
    func text(_ range: Range<Int>) -> String {
      String(decoding: source[range].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }
    if let end = floatEnd() {
      guard let value = Double(text(position..<end)), value.isFinite else {
        throw syntax("a number too large for a float")
      }
      append(.float(value))
      return advance(to: end)
    }
    var end = position + 1
    var value: Int?
    let letter = byte(at: position + 1).map { $0 | 0x20 }
    let radix = [UInt8(ascii: "x"): 16, UInt8(ascii: "o"): 8, UInt8(ascii: "b"): 2][letter ?? 0]
    if source[position] == UInt8(ascii: "0"), let radix {
      let digits = position + (byte(at: position + 2) == UInt8(ascii: "_") ? 3 : 2)
      let isDigit: (UInt8) -> Bool = {
        UnicodeScalar($0).properties.isASCIIHexDigit && hexadecimalValue($0) < radix
      }
      if let digitsEnd = digitsEnd(digits, isDigit) {
        end = digitsEnd
        value = Int(text(digits..<end), radix: radix)
      } else {
        value = 0
      }
    } else {
      // A number that begins with 0 has no other digit.
      let isZero = source[position] == UInt8(ascii: "0")
      end = digitsEnd(position) { isZero ? $0 == UInt8(ascii: "0") : isDigit($0) }!
      value = Int(text(position..<end))
    }
    guard let value else { throw .integerOverflow(line: line) }
    append(.integer(value))
    advance(to: end)
  }
}

private func hexadecimalValue(_ byte: UInt8) -> Int { Character(UnicodeScalar(byte)).hexDigitValue ?? 16 }

// MARK: - Strings

extension TemplateLexer {
  private mutating func readString(quote: UInt8) throws(TemplateError) {
    var bytes: [UInt8] = []
    var index = position + 1
    while let byte = byte(at: index), byte != quote {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        index += 1
        continue
      }
      try readEscape(&index, into: &bytes)
    }
    guard byte(at: index) == quote else { throw syntax("a string without end") }
    append(.string(TemplateText(bytes: bytes)))
    advance(to: index + 1)
  }

  /// The escapes of Python's string literals; one that is none of them is text, the backslash too.
  private func readEscape(_ index: inout Int, into bytes: inout [UInt8]) throws(TemplateError) {
    guard let letter = byte(at: index + 1) else { throw syntax("a string without end") }
    index += 2
    switch letter {
    case UInt8(ascii: "\n"): break
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(letter)
    case UInt8(ascii: "a"): bytes.append(0x07)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "v"): bytes.append(0x0B)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      var value = UInt32(letter - UInt8(ascii: "0"))
      for _ in 0..<2 {
        guard let next = byte(at: index), 0x30...0x37 ~= next else { break }
        value = value << 3 | UInt32(next - UInt8(ascii: "0"))
        index += 1
      }
      try append(value, to: &bytes)
    case UInt8(ascii: "x"): try append(try hexadecimal(&index, count: 2), to: &bytes)
    case UInt8(ascii: "u"): try append(try hexadecimal(&index, count: 4), to: &bytes)
    case UInt8(ascii: "U"): try append(try hexadecimal(&index, count: 8), to: &bytes)
    case UInt8(ascii: "N"): throw .unsupported(line: line, feature: "a character by its name, \\N{...},")
    default: bytes += [UInt8(ascii: "\\"), letter]
    }
  }

  private func append(_ value: UInt32, to bytes: inout [UInt8]) throws(TemplateError) {
    guard let scalar = Unicode.Scalar(value) else { throw syntax("an escape that is no character") }
    bytes.append(contentsOf: UTF8.encode(scalar)!)
  }

  private func hexadecimal(_ index: inout Int, count: Int) throws(TemplateError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = byte(at: index), hexadecimalValue(digit) < 16, value < 1 << 28 else {
        throw syntax("an escape without its \(count) hexadecimal digits")
      }
      value = value << 4 | UInt32(hexadecimalValue(digit))
      index += 1
    }
    return value
  }
}
