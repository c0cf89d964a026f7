#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Numbers as Python writes and rounds them.
enum NumberText {
  /// `repr(float)`: the shortest digits that give the value back, an exponent below 1e-4 and from 1e16.
  static func repr(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    let sign = value.sign == .minus ? "-" : ""
    if value == 0 { return sign + "0.0" }
    let (digits, exponent) = shortest(value.magnitude)
    if exponent < -4 || exponent >= 16 {
      let tail = digits.count > 1 ? "." + digits.dropFirst() : ""
      let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return sign + digits.prefix(1) + tail + (exponent < 0 ? "e-" : "e+") + size
    }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
    if digits.count <= exponent + 1 {
      return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
    }
    return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
  }

  /// Significant digits and the power of ten of the first.
  private static func shortest(_ value: Double) -> (digits: String, exponent: Int) {
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var digits = String(mantissa[0])
    var exponent = digits.count - 1 + (parts.count > 1 ? Int(parts[1])! : 0)
    if mantissa.count > 1 { digits += mantissa[1] }
    let leading = digits.prefix { $0 == "0" }.count
    digits.removeFirst(leading)
    exponent -= leading
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    return (digits, exponent)
  }

  /// `%.{precision}f` and its like: exact, ties to even.
  /// - Parameter conversion: "f", "e" or "g".
  static func formatted(_ value: Double, _ conversion: Character, precision: Int, alternate: Bool = false)
    -> String
  {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    let format = "%\(alternate ? "#" : "").\(precision)\(conversion)"
    var buffer = [CChar](repeating: 0, count: precision + 400)
    let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// `round(value, digits)`: the exact decimal value, ties to even.
  static func rounded(_ value: Double, digits: Int) -> Double {
    guard value.isFinite, digits < 330 else { return value }
    guard digits < -310 else {
      if digits >= 0 { return Double(formatted(value, "f", precision: digits))! }
      return roundedToPowerOfTen(value, -digits)
    }
    return value.sign == .minus ? -0.0 : 0.0
  }

  private static func roundedToPowerOfTen(_ value: Double, _ zeros: Int) -> Double {
    let sign = value.sign == .minus ? "-" : ""
    // 1,074 decimals say every double exactly.
    let exact = formatted(value.magnitude, "f", precision: 1074).split(separator: ".")
    let whole = String(repeating: "0", count: zeros) + exact[0]
    let kept = String(whole.dropLast(zeros))
    let dropped = whole.suffix(zeros) + exact[1]
    let half = "5" + String(repeating: "0", count: dropped.count - 1)
    let isOdd = kept.last.map { ["1", "3", "5", "7", "9"].contains($0) } ?? false
    let up = dropped == half ? isOdd : dropped > half
    let shifted = Double(sign + (kept.isEmpty ? "0" : kept) + "e\(zeros)")!
    // The next multiple of the power: counted up in decimal, for the sum of two doubles would round twice.
    return up ? Double(sign + incremented(kept) + "e\(zeros)")! : shifted
  }

  private static func incremented(_ digits: String) -> String {
    var result = Array(digits.utf8)
    var index = result.count - 1
    while index >= 0, result[index] == UInt8(ascii: "9") {
      result[index] = UInt8(ascii: "0")
      index -= 1
    }
    if index < 0 { return "1" + String(decoding: result, as: UTF8.self) }
    result[index] += 1
    return String(decoding: result, as: UTF8.self)
  }
}
