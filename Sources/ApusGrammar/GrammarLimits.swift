/// What no constraint may exceed: time and memory to compile one are bounded by these, whatever it says.
enum GrammarLimits {
  /// Scalars of a pattern.
  static let patternLength = 8192
  /// Groups within groups of a pattern.
  static let patternDepth = 64
  /// Bytes of a schema, of a list of choices.
  static let textBytes = 1 << 20
  /// States of the automaton as it is written down, with choices: some 100 bytes each.
  static let nondeterministicStates = 200_000
  /// States of the automaton that runs: a row of some 100 to 1,000 bytes each.
  static let states = 40_000
  /// Cells of all rows together, 4 bytes each.
  static let tableCells = 16 << 20
  /// States of the first kind looked at, all in all, while those of the second are made: a second or two.
  static let work = 20_000_000
  /// Ways a schema's `anyOf`, `oneOf` and `allOf` may be combined at one place.
  static let alternatives = 128
  /// Places of a schema that mean something of their own: combinations of its parts.
  static let schemaPlaces = 20_000
}
