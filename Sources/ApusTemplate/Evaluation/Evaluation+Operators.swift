#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A value as a number; a boolean counts as 0 or 1.
enum Number {
  case integer(Int)
  case float(Double)

  init?(_ value: Value) {
    switch value {
    case .boolean(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .float(let value): self = .float(value)
    default: return nil
    }
  }

  var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .float(let value): value
    }
  }
}

extension Evaluation {
  func arithmetic(
    _ operation: ArithmeticOperation, _ left: Value, _ right: Value
  ) throws(TemplateError) -> Value {
    if operation == .remainder, case .text(let format) = left { return try percentFormat(format, right) }
    for operand in [left, right] {
      if case .undefined(let reason) = operand { throw .undefined(line: line, reason: reason) }
      if case .safe = operand { throw unsupported("arithmetic on text marked as safe") }
    }
    if let left = Number(left), let right = Number(right) { return try arithmetic(operation, left, right) }
    switch (operation, left, right) {
    case (.add, .text(let left), .text(let right)):
      return try text(TemplateText(bytes: left.bytes + right.bytes))
    case (.add, .list(let left), .list(let right)): return try list(left.items + right.items)
    case (.add, .tuple(let left), .tuple(let right)), (.add, .tuple(let left), .group(let right)),
      (.add, .group(let left), .tuple(let right)), (.add, .group(let left), .group(let right)):
      return try tuple(left.items + right.items)
    case (.multiply, _, .integer(let count)): return try repeated(left, count, right)
    case (.multiply, .integer(let count), _): return try repeated(right, count, left)
    case (.multiply, _, .boolean(let once)): return try repeated(left, once ? 1 : 0, right)
    case (.multiply, .boolean(let once), _): return try repeated(right, once ? 1 : 0, left)
    default: throw noOperation(operation, left, right)
    }
  }

  private func noOperation(_ operation: ArithmeticOperation, _ left: Value, _ right: Value) -> TemplateError {
    invalid("\(operation) takes no \(left.typeName) and \(right.typeName)")
  }

  private func repeated(_ value: Value, _ count: Int, _ other: Value) throws(TemplateError) -> Value {
    let count = max(0, count)
    switch value {
    case .text(let text):
      let (size, overflow) = text.bytes.count.multipliedReportingOverflow(by: count)
      try checkLength(overflow ? .max : size)
      return .text(TemplateText(bytes: Array(repeatElement(text.bytes, count: count).joined())))
    case .list(let array), .tuple(let array), .group(let array):
      let (size, overflow) = array.items.count.multipliedReportingOverflow(by: count)
      guard !overflow, size <= limits.stepCountMax else {
        throw .tooManySteps(line: line, limit: limits.stepCountMax)
      }
      try charge(size)
      let items = Array(repeatElement(array.items, count: count).joined())
      if case .list = value { return try list(items) }
      return try tuple(items)
    default: throw noOperation(.multiply, value, other)
    }
  }

  // MARK: Numbers

  private func arithmetic(
    _ operation: ArithmeticOperation, _ left: Number, _ right: Number
  ) throws(TemplateError) -> Value {
    if case .integer(let left) = left, case .integer(let right) = right {
      return try arithmetic(operation, left, right)
    }
    let (left, right) = (left.double, right.double)
    switch operation {
    case .add: return .float(left + right)
    case .subtract: return .float(left - right)
    case .multiply: return .float(left * right)
    case .divide:
      guard right != 0 else { throw invalid("a division by zero") }
      return .float(left / right)
    case .floorDivide: return .float(try floorDivided(left, right).quotient)
    case .remainder: return .float(try floorDivided(left, right).remainder)
    case .power: return .float(try power(left, right))
    }
  }

  private func arithmetic(
    _ operation: ArithmeticOperation, _ left: Int, _ right: Int
  ) throws(TemplateError) -> Value {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Value {
      guard !result.overflow else { throw .integerOverflow(line: line) }
      return .integer(result.partialValue)
    }
    switch operation {
    case .add: return try checked(left.addingReportingOverflow(right))
    case .subtract: return try checked(left.subtractingReportingOverflow(right))
    case .multiply: return try checked(left.multipliedReportingOverflow(by: right))
    case .divide:
      guard right != 0 else { throw invalid("a division by zero") }
      // The quotient of two doubles is the quotient of the integers while doubles hold these exactly.
      guard left.magnitude <= 1 << 53, right.magnitude <= 1 << 53 else { throw .integerOverflow(line: line) }
      return .float(Double(left) / Double(right))
    case .floorDivide, .remainder:
      guard right != 0 else { throw invalid("a division by zero") }
      guard left != .min || right != -1 else {
        if operation == .remainder { return .integer(0) }
        throw .integerOverflow(line: line)
      }
      let (quotient, remainder) = left.quotientAndRemainder(dividingBy: right)
      let isInexact = remainder != 0 && (remainder < 0) != (right < 0)
      if operation == .remainder { return .integer(isInexact ? remainder + right : remainder) }
      return .integer(isInexact ? quotient - 1 : quotient)
    case .power: return try power(left, right)
    }
  }

  private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Value {
    guard exponent >= 0 else { return .float(try power(Double(base), Double(exponent))) }
    var result = 1
    var square = base
    var left = exponent
    while left > 0 {
      if left & 1 == 1 {
        let (product, overflow) = result.multipliedReportingOverflow(by: square)
        guard !overflow else { throw .integerOverflow(line: line) }
        result = product
      }
      left >>= 1
      guard left > 0 else { break }
      let (next, overflow) = square.multipliedReportingOverflow(by: square)
      guard !overflow else { throw .integerOverflow(line: line) }
      square = next
    }
    return .integer(result)
  }

  private func power(_ base: Double, _ exponent: Double) throws(TemplateError) -> Double {
    guard base != 0 || exponent >= 0 else { throw invalid("a negative power of zero") }
    let result = pow(base, exponent)
    guard !result.isNaN || base.isNaN || exponent.isNaN else { throw unsupported("a complex number") }
    guard result.isFinite || !base.isFinite || !exponent.isFinite else {
      throw invalid("a power too large for a float")
    }
    return result
  }

  private func floorDivided(
    _ left: Double, _ right: Double
  ) throws(TemplateError) -> (quotient: Double, remainder: Double) {
    guard right != 0 else { throw invalid("a division by zero") }
    var remainder = fmod(left, right)
    var quotient = (left - remainder) / right
    if remainder == 0 {
      remainder = right.sign == .minus ? -0.0 : 0.0
    } else if (right < 0) != (remainder < 0) {
      remainder += right
      quotient -= 1
    }
    guard quotient != 0 else { return ((left / right).sign == .minus ? -0.0 : 0.0, remainder) }
    let floored = quotient.rounded(.down)
    return (quotient - floored > 0.5 ? floored + 1 : floored, remainder)
  }

  func signed(_ value: Value, isNegated: Bool) throws(TemplateError) -> Value {
    switch Number(value) {
    case .integer(let value):
      guard isNegated else { return .integer(value) }
      guard value != .min else { throw .integerOverflow(line: line) }
      return .integer(-value)
    case .float(let value): return .float(isNegated ? -value : value)
    case nil:
      if case .undefined(let reason) = value { throw .undefined(line: line, reason: reason) }
      throw invalid("a \(value.typeName) has no sign")
    }
  }
}
