/// An expression and where it stands.
struct Expression: Sendable {
  indirect enum Kind: Sendable {
    case constant(Constant)
    case name(String)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case attribute(Expression, String)
    case item(Expression, Expression)
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, Arguments)
    /// The operand is nil in a block whose text is filtered.
    case filter(Expression?, Filter, Arguments)
    case test(Expression, Test, Arguments)
    /// A filter or test that does not exist, where Jinja minds only when it is evaluated.
    case unknown(reason: String)
    case not(Expression)
    case negate(Expression)
    case plus(Expression)
    /// Operators of one precedence from left to right: flat, so that a long sum is not deep.
    case arithmetic(Expression, [(operation: ArithmeticOperation, operand: Expression)])
    case concatenation([Expression])
    case and([Expression])
    case or([Expression])
    case comparison(Expression, [(operation: ComparisonOperation, operand: Expression)])
    case conditional(test: Expression, then: Expression, otherwise: Expression?)
  }

  var kind: Kind
  var line: Int
}

enum Constant: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case string(TemplateText)
}

struct Arguments: Sendable {
  var positional: [Expression] = []
  var named: [(name: String, value: Expression)] = []
  /// `*sequence`
  var sequence: Expression?
  /// `**mapping`
  var mapping: Expression?
}

enum ArithmeticOperation: Sendable { case add, subtract, multiply, divide, floorDivide, remainder, power }

enum ComparisonOperation: Sendable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, isIn, isNotIn
}

/// What a value is assigned to.
enum Target: Sendable {
  case name(String)
  /// An attribute of a namespace.
  case attribute(namespace: String, name: String)
  case tuple([Target])
}

/// A statement and where it stands.
struct Statement: Sendable {
  indirect enum Kind: Sendable {
    case text(TemplateText)
    case output([Expression])
    case conditional([(test: Expression, body: [Statement])], otherwise: [Statement])
    case loop(Loop)
    case breakLoop
    case continueLoop
    case assign(Target, Expression)
    /// The text of a body, through filters.
    case assignBlock(Target, filter: Expression?, body: [Statement])
    case macro(MacroDefinition)
    case call(MacroDefinition, Expression)
    case filter(Expression, body: [Statement])
    case with([(target: Target, value: Expression)], body: [Statement])
    /// A scope of its own, as the tag `generation` makes one.
    case scope([Statement])
  }

  var kind: Kind
  var line: Int
}

struct Loop: Sendable {
  var target: Target
  var iterable: Expression
  var test: Expression?
  var body: [Statement]
  var otherwise: [Statement]
}

/// A macro, or the body of a `call` block, which is one without a name.
final class MacroDefinition: Sendable {
  let name: String
  let parameters: [String]
  /// Of the last parameters.
  let defaults: [Expression]
  let body: [Statement]
  /// Names among `caller`, `varargs` and `kwargs` that the body uses and that are no parameters.
  let specials: Set<String>

  init(
    name: String, parameters: [String], defaults: [Expression], body: [Statement], specials: Set<String>
  ) {
    self.name = name
    self.parameters = parameters
    self.defaults = defaults
    self.body = body
    self.specials = specials
  }
}
