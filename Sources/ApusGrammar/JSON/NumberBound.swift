import ApusCheckpoint

/// A number as decimal digits, exactly.
struct DecimalNumber: Hashable, Comparable {
  var isNegative: Bool
  /// Without zeros in front: empty for 0.
  var integer: [UInt8]
  /// Without zeros at the end.
  var fraction: [UInt8]

  /// Digits on either side of the point, at most, that bounds and texts may have.
  static let digitsMax = 18

  static let zero = DecimalNumber(isNegative: false, integer: [], fraction: [])

  init(isNegative: Bool, integer: [UInt8], fraction: [UInt8]) {
    self.integer = Array(integer.drop { $0 == 0 })
    self.fraction = Array(fraction.reversed().drop { $0 == 0 }.reversed())
    self.isNegative = isNegative && !(self.integer.isEmpty && self.fraction.isEmpty)
  }

  /// nil for what is no number, or has more digits than `digitsMax` on a side.
  init?(_ value: JSONValue) {
    switch value {
    case .integer(let integer):
      self.init(
        isNegative: integer < 0, integer: "\(integer.magnitude)".utf8.map { $0 - 0x30 }, fraction: [])
    case .number(let number):
      // The shortest decimal that means this number: what the schema said, but for digits beyond a double's.
      let parts = "\(number.magnitude)".split(separator: "e")
      let mantissa = parts[0].split(separator: ".")
      var integer = mantissa[0].utf8.map { $0 - 0x30 }
      var fraction = mantissa.count > 1 ? mantissa[1].utf8.map { $0 - 0x30 } : []
      let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
      for _ in 0..<max(exponent, 0) { integer.append(fraction.isEmpty ? 0 : fraction.removeFirst()) }
      for _ in 0..<max(-exponent, 0) { fraction.insert(integer.popLast() ?? 0, at: 0) }
      self.init(isNegative: number < 0, integer: integer, fraction: fraction)
    default: return nil
    }
    guard integer.count <= Self.digitsMax, fraction.count <= Self.digitsMax else { return nil }
  }

  init(_ value: Int) {
    self.init(isNegative: value < 0, integer: "\(value.magnitude)".utf8.map { $0 - 0x30 }, fraction: [])
  }

  var isZero: Bool { integer.isEmpty && fraction.isEmpty }

  var negated: DecimalNumber {
    DecimalNumber(isNegative: !isNegative, integer: integer, fraction: fraction)
  }

  /// The integer part as a number, which fits.
  var truncated: Int {
    let magnitude = integer.reduce(0) { $0 * 10 + Int($1) }
    return isNegative ? -magnitude : magnitude
  }

  static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    if left.isNegative { return right.negated < left.negated }
    if left.integer.count != right.integer.count { return left.integer.count < right.integer.count }
    if left.integer != right.integer { return left.integer.lexicographicallyPrecedes(right.integer) }
    return left.fraction.lexicographicallyPrecedes(right.fraction)
  }
}

/// One end of a range of numbers.
struct NumberBound: Hashable {
  var value: DecimalNumber
  /// The number itself is outside.
  var isExclusive: Bool

  func isWeakerLower(than other: NumberBound) -> Bool {
    value != other.value ? value < other.value : !isExclusive && other.isExclusive
  }

  func isWeakerUpper(than other: NumberBound) -> Bool {
    value != other.value ? value > other.value : !isExclusive && other.isExclusive
  }

  /// The smallest integer above.
  var leastInteger: Int {
    let truncated = value.truncated
    if value.fraction.isEmpty { return isExclusive ? truncated + 1 : truncated }
    return value.isNegative ? truncated : truncated + 1
  }

  /// The largest integer below.
  var greatestInteger: Int {
    let truncated = value.truncated
    if value.fraction.isEmpty { return isExclusive ? truncated - 1 : truncated }
    return value.isNegative ? truncated - 1 : truncated
  }

  func allows(above number: DecimalNumber) -> Bool { isExclusive ? value < number : value <= number }
  func allows(below number: DecimalNumber) -> Bool { isExclusive ? number < value : number <= value }
}
