/// A history as a line: `slots=2,rows=4,...;at=0,prompt=3,...;at=2,...`, the engine and then what comes. Numbers that
/// are as in an empty history are left out.
extension History: CustomStringConvertible {
  package typealias Field<Root> = (name: String, path: WritableKeyPath<Root, Int> & Sendable)

  package static let settingFields: [Field<Settings>] = [
    ("slots", \.slots), ("rows", \.rows), ("prefill", \.prefill), ("pages", \.pages),
    ("page-size", \.pageSize),
    ("context", \.context), ("queue", \.queue), ("queue-tokens", \.queueTokens), ("static", \.isStatic),
    ("policy", \.policy), ("patience", \.patience), ("caching", \.caching), ("drafts", \.drafts),
    ("target", \.target), ("per-position", \.perPosition), ("tick", \.tick), ("vocabulary", \.vocabulary),
    ("shutdown", \.shutdown),
  ]

  package static let arrivalFields: [Field<Arrival>] = [
    ("at", \.at), ("prompt", \.prompt), ("stem", \.stem), ("share", \.share), ("seed", \.seed),
    ("max", \.max),
    ("min", \.min), ("stop", \.stop), ("memory", \.memory), ("count", \.count), ("fork", \.fork),
    ("priority", \.priority), ("tenant", \.tenant), ("queue-timeout", \.queueTimeout), ("timeout", \.timeout),
    ("cancel", \.cancel), ("in-flight", \.inFlight), ("unread", \.unread), ("ending", \.ending),
    ("ending-kind", \.endingKind), ("scores", \.scores),
  ]

  package var description: String {
    let settings = Self.text(settings, Settings(), Self.settingFields)
    return ([settings] + arrivals.map { Self.text($0, Arrival(), Self.arrivalFields) }).joined(separator: ";")
  }

  /// - Throws: `HistoryTextError`.
  package init(_ text: some StringProtocol) throws(HistoryTextError) {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    self.init()
    for (index, part) in parts.enumerated() {
      if index == 0 {
        settings = try Self.value(part, Settings(), Self.settingFields)
      } else {
        arrivals.append(try Self.value(part, Arrival(), Self.arrivalFields))
      }
    }
  }

  private static func text<Root>(_ value: Root, _ plain: Root, _ fields: [Field<Root>]) -> String {
    let told = fields.filter { value[keyPath: $0.path] != plain[keyPath: $0.path] }
    return told.map { "\($0.name)=\(value[keyPath: $0.path])" }.joined(separator: ",")
  }

  private static func value<Root>(
    _ text: some StringProtocol, _ plain: Root, _ fields: [Field<Root>]
  ) throws(HistoryTextError) -> Root {
    var value = plain
    for field in text.split(separator: ",") {
      let halves = field.split(separator: "=", omittingEmptySubsequences: false)
      guard halves.count == 2, let known = fields.first(where: { $0.name == halves[0] }),
        let number = Int(halves[1])
      else { throw HistoryTextError(field: String(field)) }
      value[keyPath: known.path] = number
    }
    return value
  }
}

/// A line that is no history.
package struct HistoryTextError: Error, Equatable, CustomStringConvertible {
  /// What cannot be read: no `name=number` of a known name.
  package var field: String

  package init(field: String) { self.field = field }

  package var description: String { "\"\(field)\" is no field of a history, expected a known name=number" }
}
