/// Numbers of JSON as states.
///
/// Up to 18 digits before and after the point, and two of an exponent: all are finite doubles, all integers
/// fit 64 bits, and a model that goes on with digits comes to an end. Between bounds, numbers have no
/// exponent, so that they can be compared digit by digit, exactly.
extension Grammar {
  mutating func addNumber(
    isInteger: Bool, lower: NumberBound?, upper: NumberBound?, from source: Int32, to target: Int32
  ) throws(GrammarError) {
    let digitsMax = DecimalNumber.digitsMax
    guard lower != nil || upper != nil else {
      let range = PatternNode.digits("-?(0|[1-9][0-9]{0,\(digitsMax - 1)})")
      let integer = PatternNode.digits("0|-?[1-9][0-9]{0,\(digitsMax - 1)}")
      guard !isInteger else { return try addPattern(integer, from: source, to: target, .plain) }
      let rest = PatternNode.digits("(\\.[0-9]{1,\(digitsMax)})?([eE][+-]?[0-9]{1,2})?")
      return try addPattern(.sequence([range, rest]), from: source, to: target, .plain)
    }
    if isInteger {
      let most = 999_999_999_999_999_999
      let low = lower?.leastInteger ?? -most
      let high = upper?.greatestInteger ?? most
      if low <= min(high, -1) {
        let minus = try addBytes("-".utf8, from: source)
        try addInteger(max(1, -high)...(-low), from: minus, to: target)
      }
      if max(low, 0) <= high { try addInteger(max(low, 0)...high, from: source, to: target) }
      return
    }
    let zero = NumberBound(value: .zero, isExclusive: false)
    if upper.map({ !$0.value.isNegative }) ?? true {
      try addDecimal(
        above: lower.map { $0.value.isNegative ? zero : $0 } ?? zero, below: upper, from: source, to: target)
    }
    if lower.map(\.value.isNegative) ?? true {
      // No -0: whatever is below zero is above it without the sign.
      let least = upper.flatMap { $0.value.isNegative ? $0.negated : nil }
      let minus = try addBytes("-".utf8, from: source)
      try addDecimal(
        above: least ?? NumberBound(value: .zero, isExclusive: true), below: lower?.negated, from: minus,
        to: target)
    }
  }

  /// Decimals from `lower`, which is not negative, to `upper`.
  private mutating func addDecimal(
    above lower: NumberBound, below upper: NumberBound?, from source: Int32, to target: Int32
  ) throws(GrammarError) {
    let low = lower.value.truncated
    let high = upper?.value.truncated ?? 999_999_999_999_999_999
    guard low <= high else { return }
    func add(
      _ integers: ClosedRange<Int>, _ above: NumberBound?, _ below: NumberBound?, _ grammar: inout Grammar
    ) throws(GrammarError) {
      let end = try grammar.addState()
      try grammar.addInteger(integers, from: source, to: end)
      var digits = FractionDigits(above: above, below: below, target: target)
      try digits.add(to: &grammar, after: end)
    }
    if low == high, upper != nil { return try add(low...low, lower, upper, &self) }
    try add(low...low, lower, nil, &self)
    if let upper { try add(high...high, nil, upper, &self) }
    let last = upper == nil ? high : high - 1
    if low + 1 <= last { try add((low + 1)...last, nil, nil, &self) }
  }

  /// Integers of `range`, which are not negative, without zeros in front.
  mutating func addInteger(
    _ range: ClosedRange<Int>, from source: Int32, to target: Int32
  ) throws(GrammarError) {
    var digits = IntegerDigits(target: target)
    var low = range.lowerBound
    while low <= range.upperBound {
      let count = "\(low)".utf8.count
      let (power, overflow) = (0..<count).reduce((1, false)) { value, _ in
        let (product, overflow) = value.0.multipliedReportingOverflow(by: 10)
        return (product, value.1 || overflow)
      }
      let high = overflow ? range.upperBound : min(range.upperBound, power - 1)
      try digits.add(
        "\(low)".utf8.map { $0 - 0x30 }[...], "\(high)".utf8.map { $0 - 0x30 }[...], from: source, to: &self)
      guard high < range.upperBound else { return }
      low = high + 1
    }
  }
}

extension PatternNode {
  /// A pattern of our own, which is sound.
  fileprivate static func digits(_ source: String) -> PatternNode {
    do { return try PatternParser.parse(source) } catch { preconditionFailure("\(error)") }
  }
}

extension NumberBound {
  fileprivate var negated: NumberBound { NumberBound(value: value.negated, isExclusive: isExclusive) }
}

extension Grammar {
  fileprivate mutating func addDigits(
    _ digits: ClosedRange<UInt8>, from source: Int32, to target: Int32
  ) {
    addEdge((digits.lowerBound + 0x30)...(digits.upperBound + 0x30), from: source, to: target)
  }
}

/// Integers of equally many digits between two others.
private struct IntegerDigits {
  let target: Int32
  /// By how many digits follow, whatever they are.
  private var free: [Int: Int32] = [:]

  init(target: Int32) { self.target = target }

  mutating func add(
    _ low: ArraySlice<UInt8>, _ high: ArraySlice<UInt8>, from source: Int32, to grammar: inout Grammar
  ) throws(GrammarError) {
    guard let first = low.first, let last = high.first else {
      return grammar.addChoice(from: source, to: target)
    }
    let (lowRest, highRest) = (low.dropFirst(), high.dropFirst())
    if first == last {
      let next = try grammar.addState()
      grammar.addDigits(first...first, from: source, to: next)
      return try add(lowRest, highRest, from: next, to: &grammar)
    }
    let zeros = Array(repeating: UInt8(0), count: lowRest.count)[...]
    let nines = Array(repeating: UInt8(9), count: lowRest.count)[...]
    var freeFirst = first
    var freeLast = last
    if lowRest.contains(where: { $0 != 0 }) {
      let next = try grammar.addState()
      grammar.addDigits(first...first, from: source, to: next)
      try add(lowRest, nines, from: next, to: &grammar)
      freeFirst += 1
    }
    if highRest.contains(where: { $0 != 9 }) {
      let next = try grammar.addState()
      grammar.addDigits(last...last, from: source, to: next)
      try add(zeros, highRest, from: next, to: &grammar)
      freeLast -= 1
    }
    if freeFirst <= freeLast {
      grammar.addDigits(freeFirst...freeLast, from: source, to: try state(before: lowRest.count, &grammar))
    }
  }

  private mutating func state(before count: Int, _ grammar: inout Grammar) throws(GrammarError) -> Int32 {
    if count == 0 { return target }
    if let known = free[count] { return known }
    let next = try state(before: count - 1, &grammar)
    let state = try grammar.addState()
    grammar.addDigits(0...9, from: state, to: next)
    free[count] = state
    return state
  }
}

/// The point and the digits after it, between those of two bounds that have the same integer part.
private struct FractionDigits {
  private struct Place: Hashable {
    var index: Int
    /// All digits so far are the bound's.
    var isAtLower: Bool
    var isAtUpper: Bool
  }

  private let lower: [UInt8]
  private let upper: [UInt8]
  private let lowerIsExclusive: Bool
  private let upperIsExclusive: Bool
  private let start: Place
  private let target: Int32
  private var states: [Place: Int32] = [:]

  init(above lower: NumberBound?, below upper: NumberBound?, target: Int32) {
    func digits(_ bound: NumberBound?) -> [UInt8] {
      let fraction = bound?.value.fraction ?? []
      return fraction + Array(repeating: 0, count: DecimalNumber.digitsMax - fraction.count)
    }
    self.lower = digits(lower)
    self.upper = digits(upper)
    lowerIsExclusive = lower?.isExclusive ?? false
    upperIsExclusive = upper?.isExclusive ?? false
    start = Place(index: 0, isAtLower: lower != nil, isAtUpper: upper != nil)
    self.target = target
  }

  /// Whether a number may end here: as if zeros followed.
  private func isEnd(_ place: Place) -> Bool {
    let lowerIsReached = lower[place.index...].allSatisfy { $0 == 0 }
    let upperIsReached = upper[place.index...].allSatisfy { $0 == 0 }
    if place.isAtLower, !lowerIsReached || lowerIsExclusive { return false }
    return !(place.isAtUpper && upperIsReached && upperIsExclusive)
  }

  mutating func add(to grammar: inout Grammar, after source: Int32) throws(GrammarError) {
    if isEnd(start) { grammar.addChoice(from: source, to: target) }
    let first = try grammar.addState()
    grammar.addEdge(UInt8(ascii: "."), from: source, to: first)
    var open = [start]
    states[start] = first
    while let place = open.popLast() {
      guard place.index < DecimalNumber.digitsMax else { continue }
      let low = place.isAtLower ? lower[place.index] : 0
      let high = place.isAtUpper ? upper[place.index] : 9
      guard low <= high else { continue }
      for digit in low...high {
        let next = Place(
          index: place.index + 1, isAtLower: place.isAtLower && digit == low,
          isAtUpper: place.isAtUpper && digit == high)
        if states[next] == nil {
          let state = try grammar.addState()
          states[next] = state
          if isEnd(next) { grammar.addChoice(from: state, to: target) }
          open.append(next)
        }
        grammar.addDigits(digit...digit, from: states[place]!, to: states[next]!)
      }
    }
  }
}
