/// One value of a JSON text (RFC 8259).
///
/// Integers that fit `Int` stay exact; every other number is the nearest `Double`, which is always finite.
public enum JSONValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONMembers)
}

/// The members of a JSON object in file order. Keys are compared by their bytes: two spellings of one
/// accented letter are two keys, as they are to every other reader of these files.
public struct JSONMembers: Sendable, Equatable {
  /// Keys in the order of the file.
  public private(set) var keys: [String] = []
  private var values: [JSONValue] = []
  /// Where each key is; empty while there are so few members that looking through them is quicker.
  private var positions: [ExactString: Int] = [:]
  private static let searchedCountMax = 8

  public init() {}

  /// Members in this order; of two with one key the later value counts, at the place of the first.
  public init(_ members: [(key: String, value: JSONValue)]) {
    for member in members { set(member.key, member.value) }
  }

  public var count: Int { keys.count }

  /// The value of `key`, or nil when the object has no such key.
  public subscript(key: String) -> JSONValue? {
    position(ExactString(key)).map { values[$0] }
  }

  private func position(_ key: ExactString) -> Int? {
    guard positions.isEmpty else { return positions[key] }
    return keys.firstIndex { ExactString($0) == key }
  }

  /// Key and value at a place in file order.
  public subscript(position: Int) -> (key: String, value: JSONValue) {
    (keys[position], values[position])
  }

  /// Sets a member's value. A key that is there keeps its place.
  public mutating func set(_ key: String, _ value: JSONValue) {
    if let position = position(ExactString(key)) { values[position] = value } else { _ = append(key, value) }
  }

  /// Adds a member; false, and nothing changed, when the key is there already.
  package mutating func append(_ key: String, _ value: JSONValue) -> Bool {
    let exact = ExactString(key)
    guard position(exact) == nil else { return false }
    keys.append(key)
    values.append(value)
    if !positions.isEmpty {
      positions[exact] = keys.count - 1
    } else if keys.count > Self.searchedCountMax {
      for (position, key) in keys.enumerated() { positions[ExactString(key)] = position }
    }
    return true
  }
}

/// A string whose equality is that of its UTF-8 bytes; `String` itself compares by canonical equivalence.
struct ExactString: Hashable, Sendable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (left: ExactString, right: ExactString) -> Bool {
    left.text.utf8.count == right.text.utf8.count && left.text.utf8.elementsEqual(right.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension JSONValue {
  /// Parses the one value in `bytes`; `file` is the name errors give it.
  public init(parsing bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
    do throws(JSONError) { self = try JSONParser.parse(bytes) } catch {
      throw .malformedJSON(path: file, error)
    }
  }
}

extension JSONValue {
  /// What an error message shows of the value: short whatever the file holds.
  package var summary: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): quoted(value)
    case .array(let values): "an array of \(values.count)"
    case .object(let members): "an object of \(members.count)"
    }
  }
}

/// Text from a file as an error message may show it: quoted, control characters escaped, 80 characters
/// at most.
public func quoted(_ text: String) -> String {
  let clipped = text.unicodeScalars.prefix(80)
  let escaped = clipped.map { $0.escaped(asASCII: false) }.joined()
  return "\"\(escaped)\(clipped.endIndex < text.unicodeScalars.endIndex ? "…" : "")\""
}
