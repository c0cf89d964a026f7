/// Letter case as Python's `str` has it: full case mappings, and the final sigma.
extension TemplateText {
  func uppercased() -> TemplateText { mapped { $0.properties.uppercaseMapping } }

  func lowercased() -> TemplateText {
    if isASCII { return TemplateText(bytes: bytes.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }) }
    let text = scalars
    var result = TemplateText()
    for index in text.indices { result.bytes += Self.lowercase(text, at: index).utf8 }
    return result
  }

  /// The first scalar in title case, all others in lower case.
  func capitalized() -> TemplateText {
    let text = scalars
    var result = TemplateText()
    for index in text.indices {
      let mapping =
        index == 0 ? text[index].properties.titlecaseMapping : Self.lowercase(text, at: index)
      result.bytes += mapping.utf8
    }
    return result
  }

  /// `str.title`: every letter after one without case in title case.
  func titlecased() -> TemplateText {
    let text = scalars
    var result = TemplateText()
    var previousIsCased = false
    for index in text.indices {
      let mapping =
        previousIsCased ? Self.lowercase(text, at: index) : text[index].properties.titlecaseMapping
      result.bytes += mapping.utf8
      previousIsCased = text[index].properties.isCased
    }
    return result
  }

  func swappedCase() -> TemplateText {
    let text = scalars
    var result = TemplateText()
    for index in text.indices {
      let properties = text[index].properties
      if properties.isUppercase {
        result.bytes += Self.lowercase(text, at: index).utf8
      } else {
        result.bytes += (properties.isLowercase ? properties.uppercaseMapping : String(text[index])).utf8
      }
    }
    return result
  }

  private func mapped(_ mapping: (Unicode.Scalar) -> String) -> TemplateText {
    var result = TemplateText()
    for scalar in string.unicodeScalars { result.bytes += mapping(scalar).utf8 }
    return result
  }

  /// Lower case of one scalar: a sigma that ends a word has a form of its own (Unicode Standard, table 3-17).
  private static func lowercase(_ text: [Unicode.Scalar], at index: Int) -> String {
    guard text[index] == "\u{3A3}" else { return text[index].properties.lowercaseMapping }
    let before = text[..<index].last { !$0.properties.isCaseIgnorable }
    let after = text[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
    return isFinal ? "\u{3C2}" : "\u{3C3}"
  }
}

/// The questions `str.is...` asks.
extension TemplateText {
  private func all(_ holds: (Unicode.Scalar) -> Bool) -> Bool {
    !isEmpty && string.unicodeScalars.allSatisfy(holds)
  }

  var isAlpha: Bool { all { $0.isTemplateLetter } }
  var isDecimal: Bool { all { $0.properties.generalCategory == .decimalNumber } }
  var isDigit: Bool { all { $0.isTemplateDigit } }
  var isNumeric: Bool { all { $0.properties.numericType != nil } }
  var isAlphanumeric: Bool { all { $0.isTemplateLetter || $0.properties.numericType != nil } }
  var isSpace: Bool { all { $0.isTemplateSpace } }

  /// At least one letter with case, none in the other case.
  var isLower: Bool { hasCase { $0.isLowercase } }
  var isUpper: Bool { hasCase { $0.isUppercase } }

  private func hasCase(_ holds: (Unicode.Scalar.Properties) -> Bool) -> Bool {
    var found = false
    for scalar in string.unicodeScalars {
      let properties = scalar.properties
      if properties.isLowercase || properties.isUppercase || properties.generalCategory == .titlecaseLetter {
        guard holds(properties) else { return false }
        found = true
      }
    }
    return found
  }

  var isTitle: Bool {
    var found = false
    var previousIsCased = false
    for scalar in string.unicodeScalars {
      let properties = scalar.properties
      if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
        if previousIsCased { return false }
        previousIsCased = true
        found = true
      } else if properties.isLowercase {
        if !previousIsCased { return false }
        found = true
      } else {
        previousIsCased = false
      }
    }
    return found
  }
}

extension Unicode.Scalar {
  var isTemplateLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  var isTemplateDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }

  /// What `repr` shows as it is.
  var isTemplatePrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: self == " "
    default: true
    }
  }
}
