/// The four Unicode normalization forms (Unicode Standard Annex 15), over the tables of `UnicodeData`.
struct UnicodeNormalization: Sendable {
  enum Form: String, CaseIterable {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"

    var composes: Bool { self == .nfc || self == .nfkc }
    var isCompatible: Bool { self == .nfkc || self == .nfkd }
  }

  private static let tables = Tables()

  private let form: Form
  /// The scalars that the form may change, or move, or that may compose with what is before them.
  private var active = ScalarSetTable()

  init(_ form: Form) {
    self.form = form
    let tables = Self.tables
    var scalars = Array(tables.classes.keys)
    var ranges: [ClosedRange<UInt32>] = []
    if form.composes {
      scalars += tables.compositions.keys.map { UInt32(truncatingIfNeeded: $0) }
      let composites = Set(tables.compositions.values)
      scalars += tables.canonical.keys.filter { !composites.contains($0) }
      ranges = [Hangul.vowels, Hangul.trails]
    } else {
      scalars += tables.canonical.keys
      ranges = [Hangul.syllables]
    }
    if form.isCompatible { scalars += tables.compatibility.keys }
    _ = active.index(of: ScalarSet(scalars: scalars).union(ScalarSet(ranges)))
  }

  /// The text in this form; nil where it is already.
  func normalized(_ text: [UInt8]) -> [UInt8]? {
    text.withUnsafeBufferPointer { text in
      guard var run = nextRun(in: text, from: 0) else { return nil }
      var result: [UInt8] = []
      result.reserveCapacity(text.count + 16)
      var copied = 0
      while true {
        result.append(contentsOf: text[copied..<run.lowerBound])
        appendNormalized(UnsafeBufferPointer(rebasing: text[run]), to: &result)
        copied = run.upperBound
        guard let next = nextRun(in: text, from: copied) else { break }
        run = next
      }
      result.append(contentsOf: text[copied...])
      return result
    }
  }

  /// The next active scalars in a row, with the inactive one before them where the form composes. What
  /// follows is inactive: a new start, whatever went before.
  private func nextRun(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Range<Int>? {
    var position = start
    var previous = start
    while position < text.count {
      if text[position] < 0x80 {
        previous = position
        position += 1
        continue
      }
      let (scalar, length) = decodeScalar(text, position)
      if active.contains(scalar, set: 0) { break }
      previous = position
      position += length
    }
    guard position < text.count else { return nil }
    let first = form.composes ? previous : position
    while position < text.count {
      let (scalar, length) = decodeScalar(text, position)
      guard active.contains(scalar, set: 0) else { break }
      position += length
    }
    return first..<position
  }

  private func appendNormalized(_ text: UnsafeBufferPointer<UInt8>, to result: inout [UInt8]) {
    var scalars: [UInt32] = []
    var position = 0
    while position < text.count {
      let (scalar, length) = decodeScalar(text, position)
      Self.tables.decompose(scalar, compatible: form.isCompatible, into: &scalars)
      position += length
    }
    Self.tables.reorder(&scalars)
    if form.composes { Self.tables.compose(&scalars) }
    for scalar in scalars { result.append(scalar: scalar) }
  }
}

/// Hangul syllables compose by arithmetic (Unicode Standard, section 3.12).
private enum Hangul {
  static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
  static let leads: ClosedRange<UInt32> = 0x1100...0x1112
  static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
  static let trails: ClosedRange<UInt32> = 0x11A8...0x11C2

  static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if leads.contains(first), vowels.contains(second) {
      return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
    }
    if syllables.contains(first), (first - 0xAC00) % 28 == 0, trails.contains(second) {
      return first + second - 0x11A7
    }
    return nil
  }
}

private struct Tables: Sendable {
  var canonical: [UInt32: [UInt32]]
  var compatibility: [UInt32: [UInt32]]
  /// Keyed by the first scalar in the upper half and the second in the lower.
  var compositions: [UInt64: UInt32] = [:]
  var classes: [UInt32: UInt8] = [:]

  init() {
    canonical = Self.mapping(UnicodeData.canonical)
    compatibility = Self.mapping(UnicodeData.compatibility)
    var pairs = UnicodeData.Reader(UnicodeData.compositions)
    var composite: UInt32 = 0
    while !pairs.isAtEnd {
      composite += pairs.number()
      let first = pairs.number()
      compositions[UInt64(first) << 32 | UInt64(pairs.number())] = composite
    }
    var marks = UnicodeData.Reader(UnicodeData.combiningClasses)
    while !marks.isAtEnd {
      let number = UInt8(marks.number())
      let count = marks.number()
      for range in marks.ranges(count: count).ranges {
        for scalar in range { classes[scalar] = number }
      }
    }
  }

  /// Entries: the distance from the scalar before; a count of scalars and these; or 0, a run length and the
  /// first target of a run at constant distance.
  private static func mapping(_ text: StaticString) -> [UInt32: [UInt32]] {
    var reader = UnicodeData.Reader(text)
    var result: [UInt32: [UInt32]] = [:]
    var scalar: UInt32 = 0
    while !reader.isAtEnd {
      scalar += reader.number()
      let count = reader.number()
      if count > 0 {
        result[scalar] = (0..<count).map { _ in reader.number() }
        continue
      }
      let length = reader.number()
      let target = reader.number()
      for offset in 0..<length { result[scalar + offset] = [target + offset] }
      scalar += length - 1
    }
    return result
  }

  func decompose(_ scalar: UInt32, compatible: Bool, into result: inout [UInt32]) {
    if Hangul.syllables.contains(scalar) {
      let index = scalar - 0xAC00
      result += [0x1100 + index / 588, 0x1161 + index % 588 / 28]
      if index % 28 > 0 { result.append(0x11A7 + index % 28) }
    } else if compatible, let mapping = compatibility[scalar] {
      result += mapping
    } else if let mapping = canonical[scalar] {
      result += mapping
    } else {
      result.append(scalar)
    }
  }

  /// Sorts each run of marks by combining class, equal classes in their order.
  func reorder(_ scalars: inout [UInt32]) {
    var start = 0
    while start < scalars.count {
      var end = start
      var keys: [UInt64] = []
      while end < scalars.count, let number = classes[scalars[end]] {
        keys.append(UInt64(number) << 32 | UInt64(end - start))
        end += 1
      }
      if keys.count > 1 {
        let run = Array(scalars[start..<end])
        for (offset, key) in keys.sorted().enumerated() {
          scalars[start + offset] = run[Int(key & 0xFFFF_FFFF)]
        }
      }
      start = max(end, start + 1)
    }
  }

  func compose(_ scalars: inout [UInt32]) {
    var starter: Int?
    var count = 0
    var previousClass: UInt8 = 0
    for scalar in scalars {
      let number = classes[scalar] ?? 0
      if let starter, count == starter + 1 || previousClass < number,
        let composite = composite(scalars[starter], scalar)
      {
        scalars[starter] = composite
        continue
      }
      if number == 0 { starter = count }
      previousClass = number
      scalars[count] = scalar
      count += 1
    }
    scalars.removeSubrange(count...)
  }

  private func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    Hangul.compose(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
  }
}
