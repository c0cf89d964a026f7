/// White space between the tokens of a JSON text. Bounded always: a model that may go on with spaces and line
/// ends does.
public enum JSONWhitespace: Sendable, Hashable {
  /// None: {"a":[1,2]}.
  case none
  /// After each ':' and ',' one space or none, and none elsewhere.
  case separators
  /// Up to so many spaces, tabs and line ends at each place, 1...64: after an opening bracket, before a
  /// closing one, and after each ':' and ','. For models that insist on indenting.
  case upTo(Int)

  static let countMax = 64

  func validate() throws(GrammarError) {
    guard case .upTo(let count) = self, !(1...Self.countMax).contains(count) else { return }
    throw .invalidOption(field: "whitespace", value: "\(count)", expected: "1...\(Self.countMax)")
  }
}
