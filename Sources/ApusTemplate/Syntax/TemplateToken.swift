/// One token of a template's source.
struct TemplateToken: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    /// Text between tags.
    case data(TemplateText)
    case variableBegin
    case variableEnd
    case blockBegin
    case blockEnd
    case name(String)
    case string(TemplateText)
    case integer(Int)
    case float(Double)
    case symbol(Symbol)
    case end
  }

  /// Longer ones before those they begin with.
  enum Symbol: String, Sendable, CaseIterable {
    case floorDivide = "//"
    case power = "**"
    case equal = "=="
    case notEqual = "!="
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case add = "+"
    case subtract = "-"
    case divide = "/"
    case multiply = "*"
    case remainder = "%"
    case tilde = "~"
    case leftBracket = "["
    case rightBracket = "]"
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBrace = "{"
    case rightBrace = "}"
    case greater = ">"
    case less = "<"
    case assign = "="
    case dot = "."
    case colon = ":"
    case pipe = "|"
    case comma = ","
    case semicolon = ";"

    /// The symbol that closes this one.
    var closing: Symbol? {
      switch self {
      case .leftBracket: .rightBracket
      case .leftParenthesis: .rightParenthesis
      case .leftBrace: .rightBrace
      default: nil
      }
    }

    var closes: Bool { self == .rightBracket || self == .rightParenthesis || self == .rightBrace }
  }

  var kind: Kind
  var line: Int
}

extension TemplateToken {
  /// The token as an error names it.
  var summary: String {
    switch kind {
    case .data: "text"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .name(let name): "'\(name)'"
    case .string: "a string"
    case .integer, .float: "a number"
    case .symbol(let symbol): "'\(symbol.rawValue)'"
    case .end: "the end of the template"
    }
  }
}
