/// The filters that are there; each is called as Jinja's documentation says.
enum Filter: String, Sendable, CaseIterable {
  case abs, batch, capitalize, center, dictsort, escape, first, float, format, groupby, indent, int, items,
    join
  case last, length, list, lower, map, max, min, reject, rejectattr, replace, reverse, round, safe, select
  case selectattr, slice, sort, string, sum, title, tojson, trim, truncate, unique, upper, wordcount
  case fallback = "default"

  /// Jinja's filters that are not here.
  static let unsupported: Set = [
    "attr", "filesizeformat", "forceescape", "pprint", "random", "striptags", "urlencode", "urlize",
    "wordwrap",
    "xmlattr",
  ]

  init?(named name: String) {
    switch name {
    case "count": self = .length
    case "d": self = .fallback
    case "e": self = .escape
    default: self.init(rawValue: name)
    }
  }

  /// Whether Jinja has a filter of this name.
  static func exists(_ name: String) -> Bool { Filter(named: name) != nil || unsupported.contains(name) }
}

/// The tests that are there: all of Jinja's.
enum Test: Sendable {
  case odd, even, divisibleBy, defined, undefined, filter, test, none, boolean, isFalse, isTrue, integer,
    float
  case lower, upper, string, mapping, number, sequence, iterable, callable, sameAs, escaped
  case comparison(ComparisonOperation)

  private static let names: [String: Test] = [
    "odd": .odd, "even": .even, "divisibleby": .divisibleBy, "defined": .defined, "undefined": .undefined,
    "filter": .filter, "test": .test, "none": .none, "boolean": .boolean, "false": .isFalse, "true": .isTrue,
    "integer": .integer, "float": .float, "lower": .lower, "upper": .upper, "string": .string,
    "mapping": .mapping, "number": .number, "sequence": .sequence, "iterable": .iterable,
    "callable": .callable, "sameas": .sameAs, "escaped": .escaped, "in": .comparison(.isIn),
    "==": .comparison(.equal), "eq": .comparison(.equal), "equalto": .comparison(.equal),
    "!=": .comparison(.notEqual), "ne": .comparison(.notEqual), ">": .comparison(.greater),
    "gt": .comparison(.greater), "greaterthan": .comparison(.greater), "ge": .comparison(.greaterOrEqual),
    ">=": .comparison(.greaterOrEqual), "<": .comparison(.less), "lt": .comparison(.less),
    "lessthan": .comparison(.less), "<=": .comparison(.lessOrEqual), "le": .comparison(.lessOrEqual),
  ]

  init?(named name: String) {
    guard let test = Test.names[name] else { return nil }
    self = test
  }
}

/// Names that mean something in Jinja or Python and nothing here, refused wherever a template uses them.
enum UnsupportedName {
  static let statements: Set = [
    "block", "extends", "include", "import", "from", "autoescape", "trans", "do", "debug",
  ]

  /// Global functions; a template may give the names a meaning of its own.
  static let globals: Set = ["lipsum", "cycler", "joiner", "self", "super", "varargs", "kwargs", "caller"]

  /// Methods of Python's types that a template might call.
  static let methods: Set = [
    "encode", "maketrans", "translate", "format_map", "expandtabs", "isidentifier", "isprintable", "casefold",
    "fromkeys", "bit_length", "bit_count", "to_bytes", "from_bytes", "as_integer_ratio", "is_integer", "hex",
    "fromhex", "conjugate", "mro",
  ]
}
