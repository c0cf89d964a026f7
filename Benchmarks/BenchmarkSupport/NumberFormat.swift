import Foundation

/// `value` with so many decimals that three digits or more are seen: 0.123, 1.23, 12.3, 123, 12,345.
public func formatted(_ value: Double) -> String {
  guard value.isFinite else { return "-" }
  switch abs(value) {
  case ..<0.9995: return String(format: "%.3f", value)
  case ..<9.995: return String(format: "%.2f", value)
  case ..<99.95: return String(format: "%.1f", value)
  default: return grouped(Int(max(-1e15, min(1e15, value.rounded()))))
  }
}

/// As `formatted`, or a dash for what was not measured.
public func formatted(_ value: Double?) -> String { value.map { formatted($0) } ?? "-" }

/// A share of one in per cent: 97 %.
public func formattedPercent(_ share: Double?) -> String {
  guard let share, share.isFinite else { return "-" }
  return String(format: "%.0f %%", share * 100)
}

/// A whole number in groups of three digits: 12,345.
public func grouped(_ value: Int) -> String {
  let digits = String(value.magnitude)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return value < 0 ? "-" + text : text
}

/// Bytes a second in the unit in which memories are sold: 10^9.
public func formattedBandwidth(_ bytesPerSecond: Double) -> String {
  String(format: "%.1f GB/s", bytesPerSecond * 1e-9)
}

/// Bytes in MB or GB of 10^6 and 10^9.
public func formattedBytes(_ bytes: Int) -> String {
  let value = Double(bytes)
  return value < 1e9 ? String(format: "%.1f MB", value * 1e-6) : String(format: "%.2f GB", value * 1e-9)
}
