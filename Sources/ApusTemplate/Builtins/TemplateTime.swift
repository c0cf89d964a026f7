#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The time that a template's `strftime_now` tells: what a clock on the wall shows, without a time zone.
public struct TemplateTime: Sendable, Equatable {
  public var year: Int
  /// 1...12
  public var month: Int
  /// 1...31
  public var day: Int
  public var hour: Int
  public var minute: Int
  public var second: Int

  public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The local time now.
  public static var now: TemplateTime {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return TemplateTime(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
      hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
  }

  /// Days since Sunday (Sakamoto's congruence).
  var weekday: Int {
    let offsets = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
    let year = month < 3 ? year - 1 : year
    let days = year + year / 4 - year / 100 + year / 400 + offsets[(month + 11) % 12] + day
    return ((days % 7) + 7) % 7
  }

  /// Days since the year's first.
  var dayOfYear: Int {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return before[(month + 11) % 12] + day - 1 + (isLeap && month > 2 ? 1 : 0)
  }

  static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November",
    "December",
  ]
  static let dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}

extension Evaluation {
  /// `strftime` in English.
  func formattedTime(_ format: TemplateText) throws(TemplateError) -> TemplateText {
    try charge(bytes: format.bytes.count)
    var result = TemplateText()
    var scalars = format.string.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      guard scalar == "%" else {
        result.append(scalar)
        continue
      }
      var letter = scalars.next()
      let isUnpadded = letter == "-"
      if isUnpadded { letter = scalars.next() }
      guard let letter, let text = timeField(letter, isUnpadded: isUnpadded) else {
        throw unsupported("the time format '\(quotedFormat(format))'")
      }
      result.bytes += text.utf8
    }
    return result
  }

  private func quotedFormat(_ format: TemplateText) -> String {
    format.string.unicodeScalars.prefix(40).map { $0.escaped(asASCII: false) }.joined()
  }

  private func timeField(_ letter: Unicode.Scalar, isUnpadded: Bool) -> String? {
    func number(_ value: Int, _ width: Int = 2) -> String {
      let digits = "\(value)"
      return isUnpadded ? digits : String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let month = TemplateTime.monthNames[(now.month + 11) % 12]
    let weekday = TemplateTime.dayNames[now.weekday]
    switch letter {
    case "d": return number(now.day)
    case "m": return number(now.month)
    case "y": return number(now.year % 100)
    case "H": return number(now.hour)
    case "I": return number((now.hour + 11) % 12 + 1)
    case "M": return number(now.minute)
    case "S": return number(now.second)
    case "j": return number(now.dayOfYear + 1, 3)
    default: break
    }
    guard !isUnpadded else { return nil }
    switch letter {
    case "Y": return "\(now.year)"
    case "B": return month
    case "b", "h": return String(month.prefix(3))
    case "A": return weekday
    case "a": return String(weekday.prefix(3))
    case "w": return "\(now.weekday)"
    case "u": return "\((now.weekday + 6) % 7 + 1)"
    case "p": return now.hour < 12 ? "AM" : "PM"
    case "F": return "\(now.year)-\(number(now.month))-\(number(now.day))"
    case "T": return "\(number(now.hour)):\(number(now.minute)):\(number(now.second))"
    case "D": return "\(number(now.month))/\(number(now.day))/\(number(now.year % 100))"
    case "R": return "\(number(now.hour)):\(number(now.minute))"
    case "n": return "\n"
    case "t": return "\t"
    case "%": return "%"
    case "e":
      let digits = "\(now.day)"
      return digits.count < 2 ? " " + digits : digits
    default: return nil
    }
  }
}
