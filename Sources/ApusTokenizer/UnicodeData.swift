/// Character tables, generated from the behaviour of Hugging Face `tokenizers`.
///
/// The operating system's own tables would do on most text, but ids must not depend on the system's Unicode
/// version. The tables are text: numbers in base 64 (digits, upper case, lower case, `+`, `-`), most
/// significant digit first; a number of 2, 3 or 4 digits is led by `!`, `#` or `$`.
enum UnicodeData {
  /// Reads the numbers of one packed table.
  struct Reader {
    private var next: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(_ text: StaticString) {
      next = text.utf8Start
      end = next + text.utf8CodeUnitCount
    }

    var isAtEnd: Bool { next == end }

    mutating func number() -> UInt32 {
      var count = 1
      switch next.pointee {
      case UInt8(ascii: "!"): count = 2
      case UInt8(ascii: "#"): count = 3
      case UInt8(ascii: "$"): count = 4
      default: break
      }
      if count > 1 { next += 1 }
      var value: UInt32 = 0
      for _ in 0..<count {
        value = value << 6 | Self.digit(next.pointee)
        next += 1
      }
      return value
    }

    private static func digit(_ byte: UInt8) -> UInt32 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A")) + 10
      case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 36
      case UInt8(ascii: "+"): 62
      default: 63
      }
    }

    /// Ranges, each told by its distance from the end of the one before and its length less one.
    mutating func ranges(count: UInt32? = nil) -> ScalarSet {
      var ranges: [ClosedRange<UInt32>] = []
      var previous: UInt32 = 0
      var left = count ?? .max
      while left > 0, !isAtEnd {
        let first = previous + number()
        previous = first + number()
        ranges.append(first...previous)
        left -= 1
      }
      return ScalarSet(ranges)
    }
  }
}

/// General categories (Unicode Standard, table 4-4), in the order of the packed table.
enum GeneralCategory: Int, CaseIterable {
  case Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl, Zp
  case Cc, Cf, Cs, Co, Cn
}

/// The sets of scalars that patterns and splitters name.
struct CharacterClasses: Sendable {
  static let shared = CharacterClasses()

  private let categories: [ScalarSet]
  /// `\s`, and what is trimmed.
  let space: ScalarSet
  /// `\w` of the regular expressions in a tokenizer file.
  let word: ScalarSet
  /// `\w` of the Whitespace splitter and of `single_word`: join controls are in, Latin-1 fractions are not.
  let identifier: ScalarSet
  let numeric: ScalarSet
  let punctuation: ScalarSet
  let accents: ScalarSet

  private init() {
    var ranges = [[ClosedRange<UInt32>]](repeating: [], count: GeneralCategory.allCases.count)
    var runs = UnicodeData.Reader(UnicodeData.categoryRuns)
    var first: UInt32 = 0
    while !runs.isAtEnd {
      let length = runs.number()
      ranges[Int(runs.number())].append(first...first + length - 1)
      first += length
    }
    categories = ranges.map { ScalarSet($0) }
    func table(_ text: StaticString) -> ScalarSet {
      var reader = UnicodeData.Reader(text)
      return reader.ranges()
    }
    space = table(UnicodeData.space)
    numeric = table(UnicodeData.numeric)
    punctuation = table(UnicodeData.punctuation)
    accents = table(UnicodeData.accents)
    let named = [GeneralCategory.Lu, .Ll, .Lt, .Lm, .Lo, .Mn, .Mc, .Me, .Nd, .Nl, .Pc]
      .reduce(into: ScalarSet([])) { [categories] in $0.formUnion(categories[$1.rawValue]) }
    let extra = table(UnicodeData.wordExtra)
    word = named.union(extra)
    identifier = named.union(extra.intersection(ScalarSet([0x100...0x10FFFF])))
      .union(ScalarSet([0x200C...0x200D]))
  }

  subscript(category: GeneralCategory) -> ScalarSet { categories[category.rawValue] }

  /// A category by its name in `\p{...}`: `Lu`, or `L` for the union of `Lu`, `Ll`, `Lt`, `Lm`, `Lo`.
  func category(named name: String) -> ScalarSet? {
    let members = GeneralCategory.allCases.filter {
      let full = String(describing: $0)
      return full == name || name.count == 1 && full.hasPrefix(name)
    }
    guard !members.isEmpty else { return nil }
    return members.reduce(into: ScalarSet([])) { $0.formUnion(self[$1]) }
  }
}
