/// Something that must hold and did not.
package struct Violation: Error, Equatable, CustomStringConvertible {
  package var message: String
  /// The step after which, or in which, it was seen.
  package var step: Int?

  package init(_ message: String) { self.message = message }

  package var description: String { (step.map { "step \($0): " } ?? "") + message }
}

/// Checks `holds`; says what is wrong if not.
func check(_ holds: Bool, _ message: @autoclosure () -> String) throws(Violation) {
  if !holds { throw Violation(message()) }
}
